"""The grammar's word lists: phrases that say what is asked, and words that carry no meaning of their own.

A phrase is words in base form; `a|b` are alternatives, `a?` may be left out, `_` is a bar on nothing. Phrases are
separated by `;`. Longest match wins.
"""

from __future__ import annotations

from collections.abc import Mapping

_VIEW = "view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field"
_MOVE_VERBS = "come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush"

CUES: Mapping[str, str] = {
    # ---- the form of the question
    "count": "how many; number of; count; count of; count up; total|overall number|count of?; amount of; quantity of;"
    " what number of; tally; head count; how much of; how numerous; what total of",
    "when": "when; when exactly; what|which|whatever time; at what|which time|moment|point|second|instant|timestamp|frame;"
    " what|which second|moment|timestamp|instant; time stamp; timestamp; how soon; how late; how early;"
    " time|moment|second|instant when|at|that; time of; moment of; how many second into|in|before|until|till|after;"
    " how far into; how far in; how long until|till|before; how long do it take; from when; at what|which point in?"
    " time; point in time; exact time|moment|second; starting time; start time; end time; how deep into; what second;"
    " around|about what time; around when; since when; until when; till when; how many second pass|elapse before|until",
    "how_long": "how long; for how long; how many second|minute|frame; for how many second|minute|frame; how much"
    " time; how much screen time; duration; length of time; amount of time; number of second|minute;"
    " screen time; total time; length; time span; how long a time; lifespan; lifetime; visibility time; how many second of;"
    " for what length|amount of? time?; for what duration; visible time; on screen time; how much of the time; total screen time;"
    " time visible|on|in; how many second in total",
    "where": "where; whereabouts; coordinate; coord; position; location; bounding box; bounding rectangle; bbox; box;"
    " x 1; rectangle; pixel; place; spot; in what place; located; locate; situated",
    "where_place": "what|which part|area|region|side|half|corner|section|quarter|zone|quadrant|edge of?",
    "which": "which; which one; who; whose; whom; what id; id; ids; id number; identity; identifier; identification; what one; track id;"
    " tracklet id; object id; track number; tracklet number; object number",
    "list": "list; enumerate; show; show me; give; give me; name; name of; tell; find; identify; display; print; get; pick;"
    " spell out; report; highlight; determine",
    "what": "what; whatever",
    "how": "how",
    # ---- coming and going
    "start": f"show up; pop up; turn up; enter; arrive; emerge; surface; materialise; materialize; {_MOVE_VERBS} in|into|onto|inside the?"
    f" {_VIEW}; {_MOVE_VERBS} in; come|get on screen|camera; become visible|present; make it|a|an|he|she|their|his|her first?"
    " entrance|appearance|debut|entry; entrance; entry; debut; first appearance|sighting|occurrence|detection|glimpse|seen;"
    " first see|visible|spot|detect|observe|notice|show|present|appear|enter|come|arrive|track|in|on|exist|find|record;"
    " see|visible|spot|detect|observe|notice|show|present|appear|track first; for the first time; first time; start to? be?"
    " visible|appear|show|see|track; begin to? be? visible|appear|show|see; initial appearance; initially appear|see|visible;"
    " earliest time|moment|second|appearance|sighting|frame|point; come along; roll|pull up; loom; first become visible; arrival;"
    " first moment|second|instant|frame|point; come on; start of; begin; appear initially; enter first; check in; become visible first;"
    " make an entrance; get to? see; step in; come out; set foot; first pop up; first show up; first come into view; first turn up; first glimpse",
    "end": f"last see|visible|spot|detect|observe|appear|show|notice|present|track|in|on|exist|find|record; leave; exit; disappear; vanish;"
    " go away|off|out; see|visible|spot|detect|observe|appear|show|notice|present|track last; last time; for the last time; final"
    " appearance|sighting|moment|time|glimpse|frame|second; last appearance|sighting|moment|glimpse|occurrence|second|instant|frame|detection|point;"
    f" {_MOVE_VERBS} out|off of? the? {_VIEW}; drop out; drop out of the? {_VIEW}; {_MOVE_VERBS} out; {_MOVE_VERBS} off; depart; departure; be"
    f" go; out of the? {_VIEW}; leave the? {_VIEW}; left the? {_VIEW}; exit the? {_VIEW}; stop be? visible|appear|show|see|track; cease to?"
    " be? visible|appear|exist; no longer visible|see|appear|show|present|there; go for good; have left; finally see|visible|leave|disappear;"
    " lose sight; lose track; lost; latest time|moment|second|appearance|sighting; go from; fade out; fade away; get away; move on; withdraw;"
    " be away; check out; become invisible; walk away; drive away; run away; ride away; fly away; swim away; left for good; latest see",
    "appear": "appear; come; appearance time; reappear first; feature",
    "return": "come|get|go|be|walk|run|drive back; return; reappear; re-appear; re-enter; reenter; re-emerge; reemerge; resurface;"
    " appear|enter|show|see|visible|come|turn again; again; back; show up again; come into view again; a second time; come back into the?"
    f" {_VIEW}",
    "gone": "gone; hide; occlude; absent; missing; invisible; not visible; not see; out of sight; cover; occlusion;"
    " obscure; away; off screen; offscreen; not in the? video|frame|view|picture",
    "visible": "visible; see; seeable; present; on screen; onscreen; on camera; on display; on view; in view; in sight;"
    " in the? frame|picture|shot|image; show; display; find; exist; contain; have; feature; include; there be; be there;"
    " detect; spot; observe; notice; track; record; film; capture; count; identify; register; occur; around; in there;"
    " available; involve; depict; view; look; watch; remain|stay visible|in; stay; remain; last; be in; linger; pop up"
    " in; consist; hold; recognise; recognize; witness; encounter; spend; persist; visibility; meet; discern; make out; stick around; hang around",
    # ---- movement
    "move": "move; go; travel; drive; walk; ride; run; fly; swim; cross; head; cruise; jog; march; roam; wander; stroll;"
    " pass by; pass through; go by; drive by; walk by; run by; drive past; roll by; go past; pass through the? frame|scene|picture|video; motion; movement;"
    " glide; float; sail; cycle; roll; race; rush; tour; traverse; hurry; traverse the? frame|scene|picture; cross the? frame|scene|picture|screen|image|street|road; drift; make it way; progress; shift; proceed; drive through; walk through; come through; wheel",
    "in_motion": "in motion; on the move; moving; mobile; be move; move around; move about; move at all; ever move; change position|place",
    "stationary": "stationary; static; motionless; immobile; unmoving; park; stand still; stay still; sit still; remain"
    " still; be still; not move; never move; not moving; stay put; stay in place; at rest; idle; stand; at a standstill; standstill;"
    " hold still; keep still; without moving; without move; not move at all; stay in the same place|spot|position; stop; halted; halt; do not move;"
    " fixed; resting; hardly move; barely move; stay where it be",
    "direction": "direction; what|which way; heading; which direction; orientation; where be|do _ head|go; bearing; what direction; trend; head to|toward|towards; head",
    "end_up": "end up; finish; wind up; end; net displacement; displacement; compare to|with where; relative to where; than where; than it start; than at the start; than when it start; shift; drift; finish up; overall; start position; starting point|position|place; by the end; final position; eventually; displaced",
    "approach": "approach; come|get|move|drive|walk|run closer|nearer; closer to the? camera|viewer; towards|toward the?"
    " camera|viewer|us|me|lens; get bigger|larger; grow; near the? camera|viewer",
    "recede": "recede; move|go|get|drive|walk|run away; away from the? camera|viewer|us|me|lens; farther|further away;"
    " get smaller; shrink; retreat",
    "speed": "speed; velocity; how fast; how quick; how quickly; how slow; how slowly; pace; rate of motion; swiftness; px / s; pixel per second; average speed; mean speed; average velocity; mean velocity; speedy",
    "path": "trajectory; trajectories; path; route; track of; course; itinerary; way it move; movement of; trace; trajectory of",
    "travel_far": "how far; distance travel|cover|move; path length; how much ground; how much do _ move; how many pixel; total distance; distance do",
    # ---- order and size
    "fastest": "fastest; quickest; speediest; swiftest; most quickly|rapidly|swiftly; highest|greatest|top|maximum|max|largest|biggest|most speed|velocity|pace; most speed; go|move the fastest; most rapid|quick|fast|swift; maximum velocity; fast of all; win the race; outpace all; top speed",
    "slowest": "slowest; most slowly; lowest|least|smallest|minimum|min speed|velocity|pace; least fast|quickly|rapid; most slow; least speed; most sluggish",
    "faster": "faster; quicker; more quickly|rapidly|swiftly|fast; higher|greater|more|larger|bigger speed|velocity|pace; speedier; swifter; more speed; more rapid|quick; outpace; outrun; have the? higher speed; at a higher speed|velocity",
    "slower": "slower; more slowly; lower|less|smaller speed|velocity|pace; less quickly|fast|rapidly; slow than; more slow",
    "longest": "longest; most time; most screen time; the most second; greatest|longest|maximum|largest|highest|biggest duration|time|screen; longest time; for the longest; the longest lasting; longest lasting; longest lived; most long; longest visible; most frame; maximum length of? time?; highest number of frame|second",
    "shortest": "shortest; briefest; least time; least screen time; most briefly; shortest|smallest|least|minimum|lowest duration|time|screen; fewest second|frame; minimum time; shortest lived; the least amount of time",
    "longer": "longer; more time; more second; greater duration; for more time",
    "shorter": "shorter; less time; fewer second; more briefly; briefer",
    "largest": "largest; biggest; greatest in size; hugest; most big; largest size|area|box; biggest size|area|box; take up the most space|area|room; occupy the most; closest to the? camera|viewer; nearest to the? camera",
    "smallest": "smallest; tiniest; littlest; least big; smallest size|area|box; farthest|furthest from the? camera|viewer; least space|area",
    "larger": "larger; bigger; larger in size; greater in size; take up more space|area",
    "smaller": "smaller; tinier; less big; take up less space|area",
    "farthest": "farthest; furthest; longest|greatest|most distance|path|way|ground; most movement|motion; move|travel|go the most|farthest|furthest; most ground; the most active; cover the most; longest path",
    "least_far": "move|travel|go the least|shortest; shortest distance|path|way; least movement|motion|distance; smallest distance",
    "farther": "move|travel|go|walk|run|drive farther|further|more; longer distance|path; farther than; further than; cover more ground|distance",
    "leftmost": "leftmost; left most; furthest|farthest|most to? the? left; far left; most left",
    "rightmost": "rightmost; right most; furthest|farthest|most to? the? right; far right; most right",
    "topmost": "topmost; uppermost; highest; highest up; furthest up",
    "bottommost": "bottommost; lowermost; lowest; furthest down; lowest down",
    "first": "first; earliest; first of all; soonest; initial; before all other; before all the other; before everyone|everything|anyone|anything else; at first",
    "last": "last; latest; final; last of all; lastly; most recent; after all other; after all the other; after everyone|everything else; finally",
    "before": "before; earlier; earlier than; sooner; sooner than; prior to; ahead of; precede; in advance of; before that",
    "after": "after; later; later than; subsequent to; behind; follow; succeed; after that; subsequently",
    "order": "order; sequence of; order of; in what|which order; chronological order; chronologically; order of appearance; in order",
    "most_common": "most common; most frequent; most often; most numerous; most abundant; appear the? most; predominant; dominant; most prevalent; most popular; commonest; mostly; majority; the most; most plentiful; highest count",
    "least_common": "least common; least frequent; rarest; least often; fewest; least numerous; minority; least abundant",
    "more": "more; more than; outnumber; more numerous; more numerous than; greater in? number; more often",
    "fewer": "fewer; less; fewer than; less than; outnumbered by",
    "equal": "same number; as many; equally many; equal number; as many as; the same amount; equal; equal in number",
    "difference": "how many more; how many fewer; difference; how many less; by how many; how much more",
    "peak": "at the same time; at once; simultaneously; at one time; at any one|given|single time|moment|instant|point; concurrently; in"
    " one|a|any|a single|the same single? frame|image|moment; at the same moment|instant; maximum number; max number; peak; largest|greatest|highest|biggest|maximum|max number|count|amount; at most; at"
    " any time|moment|instant|point; most crowded; busiest; crowded; at a time; all at once; fullest; in parallel; simultaneous; concurrent; maximum|max concurrent|simultaneous; in the same frame|image|picture; maximum; at the very same time; at one and the same time; at peak; side by side; at any single moment|time; share the screen|frame; most object visible; together; jointly; co occur; coincide; one and the same frame; same frame; at any point in time; at any given moment|time|instant",
    # ---- looks
    "color": "color; colour; hue; shade; tint; colored; coloured; which color|colour; paint",
    "upper": "shirt; t-shirt; tshirt; jacket; coat; sweater; top; blouse; hoodie; vest; jersey; pullover; jumper; upper body; torso; upper clothing|clothes; upper half; upper part; upper garment",
    "lower": "trouser; pant; jean; short; skirt; legging; lower body; leg; lower clothing|clothes; lower half; slack; lower part; lower garment",
    "wear": "wear; dress; dress in; clothe; clothes; clothing; outfit; attire; have on; garment; clad; clothed; garb",
    "look": "look like; appearance; describe; description; description of; tell about; tell me about; what about the look; detail; detail about; details on; information about|on; how do _ look; portray; characterise; characterize",
    "size": "how big; how large; size; how small; area; dimension; how tall; how wide; small medium or large",
    # ---- relations
    "together": "together; both visible|present|on|in; at the same time; simultaneously; at once; same frame; in the same frame; co occur; coincide; share the screen|frame; meet on screen; side by side; both in view; both there; in each other 's company",
    "touch": "touch; overlap; collide; bump into; bump; make contact; contact; intersect; run into; crash; crash into; hit; in contact; come into contact; meet; collision; cross path; cover; clash",
    "near": "near; close to; near to; next to; beside; nearby; adjacent to; alongside; by the side of; in the vicinity of; close by; around",
    "nearest": "nearest; closest; nearest to; closest to; least distance; minimum|smallest|least|shortest distance; most near; come|get closest; neighbour; neighbor; closest together; nearest to each other; closest to each other",
    "farthest_apart": "farthest apart; furthest apart; farthest from; furthest from; most distant; largest distance; greatest distance; maximum distance; most far apart",
    "distance": "distance; how far apart; how close; how far; how far away; how near; gap between; separation; far apart; how far be; distance between; distance from",
    "pass": "pass; overtake; get ahead of; go past; outrun; move past; run past; drive past; walk past; surpass; overhaul; come past",
    "follow": "chase; follow behind; pursue",
    "above": "above; over; higher than; on top of; higher up than; higher",
    "below": "below; under; underneath; beneath; lower than; lower down than; lower",
    # ---- kinds
    "kind": "kind; type; category; categories; class; sort; species; kinds of; types of; label; classification; sorts of; variety; varieties; what be it; group",
    "other_than": "other than; except; except for; apart from; besides; aside from; excluding; not count; but not; excluding the; without counting; not a|an; that be not; which be not",
    "not": "not; no; never; without; none; neither; non; isnt; none of",
    "all": "all; every; each; both; all of; each of; everyone; every single; entire",
    "tag": "tag; tags; keyword; hashtag; annotation; annotations",
    # ---- what happens
    "events": "happen; go on; take place; occur; event; events; what be do; transpire; activity; activities; action; come about; do; what go on; up to; see in; unfold; what change; behave; behavior; behaviour",
    "summary": "summarise; summarize; summary; overview; gist; describe the? video|clip|scene|footage|film|movie|recording|whole|content;"
    " about the? video|clip|film; what be the video|clip about; tell me about the video|clip|footage; synopsis; recap; brief; abstract; give me an overview; outline; sum up; content; contents; what be this video|clip about; in a nutshell; description of the? video|clip|scene|footage; report; what be the clip|footage|recording|movie|film about; tell me about this video|clip|footage; describe this video|clip|footage; summarise the video; summarize the video; recapitulate; run down; rundown; digest",
    # ---- sound and words
    "speech": "say; speak; speech; spoken; talk; talk about; mention; word say; utter; transcript; transcription; transcribe; voice; conversation;"
    " dialogue; dialog; hear someone|somebody|anyone|anybody; pronounce; narrator; narration; tell us; yell; whisper; shout; converse; chat; speaker; discuss; sentence; utterance",
    "text": "write; written; text; sign; caption; captions; on screen text; subtitle; subtitles; letter; lettering; read; inscription; print; title; words; signs; spell; writing; signage; billboard; banner; poster; placard; label read; word; ocr; screen text; text on screen",
    "sound": "sound; audio; noise; music; soundtrack; audio track; sound track; hear; audible; acoustic; listen; noises; sounds; sonic",
    "silent": "silent; silence; quiet; mute; muted; soundless; no sound; without sound; noiseless; hush; quietest",
    "loud": "loud; loudest; noisy; loudly; noisiest; louder; volume",
    # ---- the video itself
    "video": "video; clip; footage; film; movie; recording; file; videos; clips; vid; library; collection; footages; movies; films; media",
    "scene": "shot; shots; scene; scenes; take",
    "cut": "cut; cuts; scene change; shot change; shot boundary; transition; camera cut; scene cut; scene changes; cut to",
    "resolution": "resolution; frame size; dimension; dimensions; video size; picture size; image size; how many pixel; pixel size; size of the? video|frame|picture|image|clip; width and height; big be the? video|frame|picture|clip|image; aspect ratio; aspect",
    "width": "width; how wide; wide", "height": "height; how tall|high be the? video|frame|picture|clip; how high",
    "fps": "fps; frame rate; framerate; frame per second; frames per second; frame a second; frames a second; frame / second; frame rates; refresh rate",
    "frames": "how many frame; number of frame; frame count; frame number; total frame; amount of frame; count of frame; count frame; total number of frame; how many image",
    "path_of_file": "file path; path of the? video|file; where be the? video|file store; file name; filename; location of the file; video path; name of the? video|clip|file",
    # ---- about the answer
    "why": "why; how come; how do you know; evidence; proof; prove; explain; are you sure; you sure; be you sure; how can you tell; justify; on what basis; show me the? evidence|proof; what make you think; reason; really; certain; how sure; back up; source; be that right|correct|true; what be that based on; based on what",
    "help": "help; what can i ask; what can you do; how do i use; what question; how do this work; what kind of question; example question; capability; capabilities; what can you answer; what do you know; usage; instruction; hello; hi; hey; thanks; thank you",
}  # fmt: skip

# Things people ask that no column holds. Each group has one sentence.
UNSUPPORTED: Mapping[str, str] = {
    "feelings and moods": "happy sad angry emotion emotions emotional mood feel feeling feelings smile smiling laugh laughing cry crying afraid scared bored"
    " excited nervous mad upset cheerful joyful depressed worried emotionally friendly tired aggressive calm think thought thinking intend intention opinion love hate like enjoy want lonely surprised confused proud jealous",
    "ages": "age old young older younger oldest youngest elderly teen year years birthday born",
    "gender": "gender sex masculine feminine",
    "names and identities of people": "called surname identity's famous celebrity actor actress nationality citizen race ethnicity religion religious job profession occupation married related",
    "prices and values": "price cost costs worth expensive cheap dollar dollars euro euros money pay salary value buy sell sold cheaper owner owns",
    "weather and light": "weather rain raining rainy snow snowing snowy sunny cloudy wind windy temperature hot cold warm degrees celsius fahrenheit storm fog foggy daylight night daytime sunset sunrise",
    "licence plates": "licence license plate plates registration",
    "makes and models": "brand make model manufacturer toyota ford bmw breed year-built engine horsepower mileage fuel",
    "songs": "song songs singer melody tune lyrics artist album band composer genre",
    "real-world sizes and weights": "weight weigh weighs heavy heavier heaviest tall taller tallest meter meters metre metres mph kmh kph kilometers kilometres km mile miles"
    " inch inches feet kilogram kg pounds calories",
    "places and dates": "country city town continent address latitude longitude gps date day month year weekday monday tuesday wednesday thursday friday saturday sunday o'clock century location's season summer winter autumn spring",
    "what is behind the picture": "camera's photographer cameraman director filmed-by author who-made created uploader uploaded license-of copyright youtube",
    "health": "sick ill healthy dead alive pregnant injured hurt hungry thirsty asleep sleeping disease",
    "quality and taste": "beautiful pretty ugly nice good bad best worst cute funny boring interesting handsome cool better favourite favorite smart stupid delicious tasty taste smell smells",
}  # fmt: skip

# Words that never name a thing that was asked about.
FUNCTION_WORDS = frozenset(
    ["a", "an", "the", "this", "that", "these", "those", "some", "any", "my", "your", "our", "its", "his", "her", "their", "whose", "of", "in", "on", "at", "to", "from", "by", "for", "with", "about", "into", "onto", "out", "off", "over", "up", "down", "during", "within", "through", "across", "along", "than", "then", "as", "so", "but", "and", "or", "nor", "if", "whether", "while", "because", "since", "until", "per", "via", "is", "are", "was", "were", "am", "be", "been", "being", "do", "does", "did", "done", "have", "has", "had", "having", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "let", "i", "you", "we", "us", "me", "he", "she", "it", "they", "them", "him", "himself", "herself", "itself", "themselves", "one", "ones", "other", "others", "another", "else", "there", "here", "what", "which", "who", "whom", "when", "where", "how", "why", "yes", "no", "not", "never", "ever", "please", "kindly", "just", "only", "also", "even", "too", "very", "really", "actually", "exactly", "precisely", "simply", "quite", "rather", "still", "already", "yet", "again", "about", "around", "roughly", "approximately", "total", "overall", "altogether", "whole", "entire", "entirely", "want", "need", "like", "know", "tell", "say", "me", "whether", "wonder", "wondering", "curious", "could", "question", "answer", "following", "give", "now", "currently", "today", "currently", "moment", "time", "times", "point", "second", "seconds", "sec", "secs", "s", "minute", "minutes", "video", "clip", "footage", "film", "movie", "recording", "frame", "frames", "screen", "picture", "image", "camera", "scene", "view", "sequence", "file", "footage", "shot", "side", "edge", "part", "half", "area", "region", "border", "corner", "centre", "center", "middle", "left", "right", "top", "bottom", "upper", "lower", "different", "distinct", "unique", "individual", "separate", "various", "several", "many", "much", "more", "most", "few", "fewer", "less", "least", "lot", "lots", "couple", "pair", "single", "same", "own", "such", "both", "all", "each", "every", "either", "neither", "none", "first", "last", "second", "third", "next", "previous", "ok", "okay", "hey", "well", "right", "please", "thanks", "thank", "alright", "hmm", "um", "uh", "so", "oh", "and", "mr", "sir", "dear", "friend", "assistant", "bot", "onlooker", "system", "database", "library", "tool", "program", "ai", "x", "y", "x1", "y1", "x2", "y2", "xy", "px", "pixel", "pixels", "id", "ids", "number", "numbers", "no", "value", "values", "exact", "precise", "approximate", "been", "within", "inside", "outside", "between", "among", "amongst", "against", "toward", "towards", "away", "back", "ahead", "together", "apart", "alone", "got", "get", "gets", "make", "makes", "made", "take", "takes", "taken", "use", "used", "using", "go", "goes", "going", "come", "comes", "coming", "keep", "keeps", "visible", "seen", "see", "shown", "appear", "appears", "present", "given", "particular", "certain", "specific", "possible", "any", "ever", "once", "twice", "throughout", "anywhere", "somewhere", "nowhere", "elsewhere", "everywhere", "anytime", "sometime", "someday", "always", "long", "short", "big", "small", "large", "fast", "slow", "quickly", "slowly", "currently", "end", "start", "beginning", "ending", "middle", "format", "form", "terms", "detail", "details", "data", "case", "way", "ways", "manner", "kind", "type", "sort", "o", "im", "ive", "id", "youre", "thats", "lets", "max", "min", "maximum", "minimum", "amount"]
)
POLITE = (
    "please tell me", "can you tell me", "could you tell me", "would you tell me", "will you tell me", "can you please tell me",
    "could you please tell me", "i would like to know", "i want to know", "i need to know", "do you know", "tell me", "let me know",
    "i wonder", "i am wondering", "i was wondering", "i am curious", "i would like you to tell me", "can you say", "could you say",
    "please", "can you please", "could you please", "would you please", "can you", "could you", "would you", "will you", "may i ask", "any idea",
    "do you happen to know", "just tell me", "say", "quick question", "ok", "okay", "hey", "hi", "hello", "well", "so", "now", "and now",
    "i want you to", "i need you to", "i would like to see", "i would like", "i need", "i want", "let us know", "help me find out", "help me find", "find out", "check",
    "check whether", "check if", "figure out", "work out", "tell us", "kindly", "first of all", "in this video", "in the video", "in this clip",
    "in the clip", "in the footage", "in this footage", "looking at the video", "looking at this video", "according to the video", "from the video", "from this video", "my question is", "the question is", "i ask", "i am asking", "what i want to know is",
)  # fmt: skip

COLORS: Mapping[str, tuple[str, ...]] = {
    "red": ("red", "reddish", "crimson", "scarlet", "maroon", "ruby", "burgundy", "vermilion"),
    "orange": ("orange", "orangish", "amber"),
    "yellow": ("yellow", "yellowish", "golden", "gold"),
    "green": ("green", "greenish", "lime", "olive", "emerald"),
    "turquoise": ("turquoise", "cyan", "teal", "aqua"),
    "blue": ("blue", "bluish", "navy", "azure", "indigo"),
    "purple": ("purple", "violet", "lilac", "lavender"),
    "pink": ("pink", "pinkish", "magenta", "rose", "fuchsia"),
    "brown": ("brown", "brownish", "chestnut"),
    "beige": ("beige", "tan", "cream", "khaki"),
    "white": ("white", "whitish", "ivory"),
    "grey": ("grey", "gray", "silver", "greyish", "grayish", "silvery"),
    "black": ("black", "blackish"),
}
