"""Phrases that say what is asked, by a code that the rules know.

A phrase is words in base form; `a|b` are alternatives, `a?` may be left out. Phrases are separated by `;`. The longest
match wins, and one phrase may stand under several codes.
"""

from __future__ import annotations

from collections.abc import Mapping

CUES: Mapping[str, str] = {
    "count": """
        how many; number of; count; count of; count up; total|overall number|count of?; amount of; quantity of; what
        number of; tally; head count; how much of; how numerous; what total of; headcount; body count; sum of; sum
        total; sum up how many; population of; size of the set; head-count; what count; how large be the number; add
        up all|the; total up; number all; tot up; tally up; tally of; enumerate how many; cardinality of; how big be
        the group|set|crowd of; grand total of; total of; overall count; how high be the number|count of; how great
        be the number of; quantity; count for; how often; how many time; there be what; there are what; be what
        number
    """,
    "when": """
        when; when exactly; what|which|whatever time; at what|which
        time|moment|point|second|instant|timestamp|frame; what|which second|moment|timestamp|instant; time stamp;
        timestamp; how soon; how late; how early; time|moment|second|instant when|at|that; time of; moment of; how
        many second into|in|before|until|till|after; how far into; how far in; how long until|till|before; how long
        do it take; from when; at what|which point in? time; point in time; exact time|moment|second; starting time;
        start time; end time; how deep into; what second; around|about what time; around when; since when; until
        when; till when; how many second pass|elapse before|until; first|earliest|initial|last|latest|final
        moment|time|second|instant|timestamp; first|earliest|last|latest point in time;
        entry|exit|arrival|departure|start|starting|end|ending|leaving|finish time; moment when; pinpoint when;
        since what time|moment|second|point; beginning at what|which time; on what|which second|frame|moment; exact
        moment|second|instant|time; in what|which second|minute; what be the time; what clock time; what moment in
        time; whereabouts in time; how many second from the start; how many second have pass|elapse when|before; how
        many second be on the clock; after how many second; how long after the start|beginning; how long into; how
        many second from the beginning; how late into; how early on; in which moment; time point; time index;
        timecode; time code; at how many second; which point in time; which time; at what|which number of
        second|minute; as of what|which time|second; how many second in|into
    """,
    "how_long": """
        how long; for how long; how many second|minute|frame; for how many second|minute|frame; how much time; how
        much screen time; duration; length of time; amount of time; number of second|minute; screen time; total
        time; length; time span; how long a time; lifespan; lifetime; visibility time; how many second of; for what
        length|amount of? time?; for what duration; visible time; on screen time; how much of the time; total screen
        time; time visible|on|in; how many second in total; second that; second during|in|for|over which; time that;
        number of second that; time during which; amount of time that; second be? visible|on|in|see; second
        a|an|the; second for which; how many second pass|elapse|go|lie; how much later|earlier|sooner; how much time
        pass|elapse; length of stay; length of its|his|her|their? visibility|presence|appearance|stay; dwell time;
        exposure time; time on screen|camera|display; time in view|frame|shot|picture; time span of; add up how
        long; total duration; overall duration; visible duration; over how many second; across how many second; for
        what|which period; period of; how lengthy; how extended; how much footage; how many second worth; second
        count; how brief; how short a time; what length; how prolonged; number of second; number of second
        the|a|that; what|which number of second|minute; total of what second|minute; for what second; sum of
        visible|screen time; total of what; total period; for what total period; what total period; sum of time
    """,
    "where": """
        where; whereabouts; coordinate; coord; position; location; bounding box; bounding rectangle; bbox; box; x 1;
        rectangle; pixel; place; spot; in what place; located; locate; situated; pinpoint; localise; localize;
        bound; extent; corner coordinate; pixel coordinate; xyxy; rect; bounding coordinate; place in the?
        frame|picture|image; sit in the frame; frame box; surrounding box; what region|area of the?
        frame|image|picture; coordinates
    """,
    "where_place": """
        what|which part|area|region|side|half|corner|section|quarter|zone|quadrant|edge of?
    """,
    "which": """
        which; which one; who; whose; whom; what id; id; ids; id number; identity; identifier; identification; what
        one; track id; tracklet id; object id; track number; tracklet number; object number
    """,
    "list": """
        list; enumerate; show; show me; give; give me; name; name of; tell; identify; display; print; get; pick;
        spell out; report; highlight; determine; find all|every
    """,
    "what": """
        what; whatever
    """,
    "how": """
        how
    """,
    "start": """
        show up; pop up; turn up; enter; arrive; emerge; surface; materialise; materialize;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush in|into|onto|inside
        the? view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush in; come|get on
        screen|camera; become visible|present; make it|a|an|he|she|their|his|her first?
        entrance|appearance|debut|entry; entrance; entry; debut; first
        appearance|sighting|occurrence|detection|glimpse|seen; first
        see|visible|spot|detect|observe|notice|show|present|appear|enter|come|arrive|track|in|on|exist|find|record;
        see|visible|spot|detect|observe|notice|show|present|appear|track first; for the first time; first time;
        start to? be? visible|appear|show|see|track; begin to? be? visible|appear|show|see; initial appearance;
        initially appear|see|visible; earliest time|moment|second|appearance|sighting|frame|point; come along;
        roll|pull up; loom; first become visible; arrival; first moment|second|instant|frame|point; come on; start
        of; begin; appear initially; enter first; check in; become visible first; make an entrance; get to? see;
        step in; come out; set foot; first pop up; first show up; first come into view; first turn up; first
        glimpse; start|starting|entry|arrival|entering time|second|timestamp; earliest|initial
        second|instant|timestamp; make it|their|his|her|a|an first|initial? appearance|entrance|debut|entry; crop
        up; come up; roll in; walk on; drive on; put in an appearance; make an appearance; join; come to view; get
        on camera; get into view; become seeable|noticeable|detectable|observable; first catch; catch sight of;
        first glance; first notice; first register; first record; first film; first capture; initial sighting; show
        itself|himself|herself; first encounter; come onto; entering; arriving; land; first in
        frame|view|shot|sight; earliest glimpse; first evidence; first trace; inception; onset of; opening
        appearance; come to be see; start being see|visible|track; begin being see|visible|track; set in; catch
        first; catch
    """,
    "end": """
        last see|visible|spot|detect|observe|appear|show|notice|present|track|in|on|exist|find|record; leave; exit;
        disappear; vanish; go away|off|out; last time; for the last time; final
        appearance|sighting|moment|time|glimpse|frame|second; last
        appearance|sighting|moment|glimpse|occurrence|second|instant|frame|detection|point;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush out|off of? the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; drop out; drop out of the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush out;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush off; depart;
        departure; out of the? view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field;
        leave the? view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; left the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; exit the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; stop be?
        visible|appear|show|see|track; cease to? be? visible|appear|exist; no longer
        visible|see|appear|show|present|there; go for good; have left; finally see|visible|leave|disappear; lose
        sight; lose track; lost; latest time|moment|second|appearance|sighting; go from; fade out; fade away; get
        away; move on; withdraw; be away; check out; become invisible; walk away; drive away; run away; ride away;
        fly away; swim away; left for good; latest see; see|visible|spot|detect|observe|notice|present last;
        last|final sighting of; end|ending|exit|departure|leaving|finish time|second|timestamp; last|latest|final
        second|instant|timestamp|time; bow out; slip away; slip out; head off|out; take off; pull out|away; go
        missing; drop off|away|from; fall out; quit; clear the frame|scene|picture; be off; be do; finish be
        see|visible; end its|his|her|their appearance; walk off; walk out; drive off; drive out; run off; make
        its|his|her|their exit|departure; last catch; last register|record|film|capture|encounter|glimpse; last in
        frame|view|shot|sight; final trace; ultimate appearance; last trace; last glance; go out; dissapear; part;
        drop from view; fade; out; end be see|visible; cease be see|visible; cease; stop show|appear; finally
        disappear|leave|exit; closing appearance; go off; be gone; have gone; gone for good
    """,
    "appear": """
        appear; come; appearance time; reappear first; feature
    """,
    "return": """
        come|get|go|be|walk|run|drive back; return; reappear; re-appear; re-enter; reenter; re-emerge; reemerge;
        resurface; appear|enter|show|see|visible|come|turn again; again; back; show up again; come into view again;
        a second time; come back into the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field
    """,
    "gone": """
        gone; hide; occlude; absent; missing; invisible; not visible; not see; out of sight; cover; occlusion;
        obscure; away; off screen; offscreen; not in the? video|frame|view|picture
    """,
    "visible": """
        visible; see; seeable; present; on screen; onscreen; on camera; on display; on view; in view; in sight; in
        the? frame|picture|shot|image; show; display; find; exist; contain; have; feature; include; there be; be
        there; detect; spot; observe; notice; track; record; film; capture; count; identify; register; occur;
        around; in there; available; involve; depict; view; look; watch; remain|stay visible|in; stay; remain; last;
        be in; linger; pop up in; consist; hold; recognise; recognize; witness; encounter; spend; persist;
        visibility; meet; discern; make out; stick around; hang around; any? sign|trace|glimpse|hint of; observable;
        perceptible; discernible; noticeable; on show; on film; on tape; in evidence; catch; picked up; pick up;
        appear on; sight; grace; identifiable; recognisable; recognizable; viewable; detectable; trackable; get to
        see; lay eye on; come across; pass before; crop up; make an appearance; materialise; materialize
    """,
    "move": """
        move; go; travel; drive; walk; ride; run; fly; swim; cross; head; cruise; jog; march; roam; wander; stroll;
        pass by; pass through; go by; drive by; walk by; run by; drive past; roll by; go past; pass through the?
        frame|scene|picture|video; motion; movement; glide; float; sail; cycle; roll; race; rush; tour; traverse;
        hurry; traverse the? frame|scene|picture; cross the? frame|scene|picture|screen|image|street|road; drift;
        make it way; progress; shift; proceed; drive through; walk through; come through; wheel
    """,
    "in_motion": """
        in motion; on the move; moving; mobile; be move; move around; move about; move at all; ever move; change
        position|place
    """,
    "stationary": """
        stationary; static; motionless; immobile; unmoving; park; stand still; stay still; sit still; remain still;
        not move; never move; not moving; stay put; stay in place; at rest; idle; stand; at a standstill;
        standstill; hold still; keep still; without moving; without move; not move at all; stay in the same
        place|spot|position; stop; halted; halt; do not move; fixed; resting; hardly move; barely move; stay where
        it be
    """,
    "direction": """
        direction; what|which way; heading; which direction; orientation; where be|do _ head|go; bearing; what
        direction; trend; head to|toward|towards; head
    """,
    "end_up": """
        end up; finish; wind up; end; net displacement; displacement; compare to|with where; relative to where; than
        where; than it start; than at the start; than when it start; shift; drift; finish up; overall; start
        position; starting point|position|place; by the end; final position; eventually; displaced
    """,
    "approach": """
        approach; come|get|move|drive|walk|run closer|nearer; closer to the? camera|viewer; towards|toward the?
        camera|viewer|us|me|lens; get bigger|larger; grow; near the? camera|viewer
    """,
    "recede": """
        recede; away from the? camera|viewer|us|me|lens; farther|further away; get smaller; shrink; retreat;
        move|go|get|drive|walk|run away from
    """,
    "speed": """
        speed; velocity; how fast; how quick; how quickly; how slow; how slowly; pace; rate of motion; swiftness; px
        / s; pixel per second; average speed; mean speed; average velocity; mean velocity; speedy
    """,
    "path": """
        trajectory; trajectories; path; route; track of; course; itinerary; way it move; movement of; trace;
        trajectory of
    """,
    "travel_far": """
        how far; distance travel|cover|move; path length; how much ground; how much do _ move; how many pixel; total
        distance; distance do
    """,
    "fastest": """
        fastest; quickest; speediest; swiftest; most quickly|rapidly|swiftly; most speed; go|move the fastest; most
        rapid|quick|fast|swift; maximum velocity; fast of all; win the race; outpace all; top speed;
        highest|greatest|top|maximum|max|largest|biggest|most average|mean|overall? speed|velocity|pace;
        outpace|outrun|beat all|every|everyone|everything|any; outpace the others|rest; win a race; speed champion;
        speed record; high|higher speed than any|all; faster than any|all|every; quicker than any|all|every; faster
        than everyone|everything; zip; fastest of all; fast mover; speed leader; record speed; peak speed; best
        speed; argmax of|over speed|velocity; arg max of|over speed|velocity; argmax of the? speed; speed the most
    """,
    "slowest": """
        slowest; most slowly; least fast|quickly|rapid; most slow; least speed; most sluggish;
        lowest|least|smallest|minimum|min average|mean|overall? speed|velocity|pace; slower than any|all|every; slow
        mover; slowpoke
    """,
    "faster": """
        faster; quicker; more quickly|rapidly|swiftly|fast; speedier; swifter; more speed; more rapid|quick;
        outpace; outrun; have the? higher speed; at a higher speed|velocity; higher|greater|more|larger|bigger
        average|mean|overall? speed|velocity|pace; fast of; outspeed; be the fast|faster mover|one; beat; quicker
        mover; fast mover; show|have more|greater speed; at a higher|greater average? speed|velocity
    """,
    "slower": """
        slower; more slowly; less quickly|fast|rapidly; slow than; more slow; lower|less|smaller
        average|mean|overall? speed|velocity|pace
    """,
    "longest": """
        longest; most time; greatest|longest|maximum|largest|highest|biggest duration|time|screen; longest time; for
        the longest; the longest lasting; longest lasting; longest lived; most long; longest visible; most frame;
        maximum length of? time?; highest number of frame|second; most screen time; the? most second; on
        screen|camera the? most; in view the? most; visible|see|present the? most; longer than any|all|every;
        longest stay; longest presence; longest appearance; longest visibility; longest span; longest run; longest
        track; longest life; longest period; longest of all; longest stretch; most visible; most long lasting;
        outlast all|every|the|any; argmax of|over duration|time; argmax of visible|screen time
    """,
    "shortest": """
        shortest; briefest; least time; least screen time; most briefly; shortest|smallest|least|minimum|lowest
        duration|time|screen; fewest second|frame; minimum time; shortest lived; the least amount of time; shorter
        than any|all|every; shortest stay; shortest presence; shortest appearance; shortest visibility; shortest
        track; least visible
    """,
    "longer": """
        longer; more time; more second; greater duration; for more time
    """,
    "shorter": """
        shorter; less time; fewer second; more briefly; briefer
    """,
    "largest": """
        largest; biggest; greatest in size; hugest; most big; largest size|area|box; biggest size|area|box; take up
        the most space|area|room; occupy the most; closest to the? camera|viewer; nearest to the? camera
    """,
    "smallest": """
        smallest; tiniest; littlest; least big; smallest size|area|box; farthest|furthest from the? camera|viewer;
        least space|area
    """,
    "larger": """
        larger; bigger; larger in size; greater in size; take up more space|area
    """,
    "smaller": """
        smaller; tinier; less big; take up less space|area
    """,
    "farthest": """
        farthest; furthest; longest|greatest|most distance|path|way|ground; most movement|motion; move|travel|go the
        most|farthest|furthest; most ground; the most active; cover the most; longest path
    """,
    "least_far": """
        move|travel|go the least|shortest; shortest distance|path|way; least movement|motion|distance; smallest
        distance
    """,
    "farther": """
        move|travel|go|walk|run|drive farther|further|more; longer distance|path; farther than; further than; cover
        more ground|distance
    """,
    "leftmost": """
        leftmost; left most; furthest|farthest|most to? the? left; far left; most left
    """,
    "rightmost": """
        rightmost; right most; furthest|farthest|most to? the? right; far right; most right
    """,
    "topmost": """
        topmost; uppermost; highest; highest up; furthest up
    """,
    "bottommost": """
        bottommost; lowermost; lowest; furthest down; lowest down
    """,
    "first": """
        first; earliest; first of all; soonest; initial; before all other; before all the other; before
        everyone|everything|anyone|anything else; at first; opening; before everybody|everyone|anyone; ahead of
        all|everyone|everything|the rest; at the outset; original; first of; first in; foremost; oldest
    """,
    "last": """
        last; latest; final; last of all; lastly; most recent; after all other; after all the other; after
        everyone|everything else; finally; newest; most recently; latecomer; late comer; in the end; at the very
        last; closing; after everybody; latest of all; the last in; last in; at last; last of; ultimate; rearmost;
        final arrival; latest arrival; most late; youngest; appear|enter|arrive|come most late|lately|recently;
        latest to
    """,
    "before": """
        before; earlier; earlier than; sooner; sooner than; prior to; ahead of; precede; in advance of; before that;
        beat to; ahead; preceding; before the; previous to
    """,
    "after": """
        after; later; later than; subsequent to; behind; follow; succeed; after that; subsequently
    """,
    "order": """
        order; sequence of; order of; in what|which order; chronological order; chronologically; order of
        appearance; in order
    """,
    "most_common": """
        most common; most frequent; most often; most numerous; most abundant; appear the? most; predominant;
        dominant; most prevalent; most popular; commonest; mostly; majority; most plentiful; highest count
    """,
    "least_common": """
        least common; least frequent; rarest; least often; fewest; least numerous; minority; least abundant
    """,
    "more": """
        more; more than; outnumber; more numerous; more numerous than; greater in? number; more often
    """,
    "fewer": """
        fewer; less; fewer than; less than; outnumbered by
    """,
    "equal": """
        same number; as many; equally many; equal number; as many as; the same amount; equal; equal in number
    """,
    "difference": """
        how many more; how many fewer; difference; how many less; by how many; how much more
    """,
    "peak": """
        at the same time; at once; simultaneously; at one time; at any one|given|single time|moment|instant|point;
        concurrently; in one|a|any|a single|the same single? frame|image|moment; at the same moment|instant; maximum
        number; max number; peak; largest|greatest|highest|biggest|maximum|max number|count|amount; at most; most
        crowded; busiest; crowded; at a time; all at once; fullest; in parallel; simultaneous; concurrent;
        maximum|max concurrent|simultaneous; in the same frame|image|picture; maximum; at the very same time; at one
        and the same time; at peak; side by side; at any single moment|time; share the screen|frame; most object
        visible; together; jointly; co occur; coincide; one and the same frame; same frame; at any given
        moment|time|instant; record for; record number; high water mark; ceiling; upper bound; maximal number; top
        number; at a single point in time; at a single moment|instant|time|point; at any single point in time; in
        one shot; within one|a single|the same frame; in a given frame; upper limit; high point; all time high; most
        populated; fullest frame; per frame at most; in the fullest frame; maximum that; it ever
        get|reach|climb|become; largest it; most it; maximum over; max over; over frame; over all frame; per frame
    """,
    "color": """
        color; colour; hue; shade; tint; colored; coloured; which color|colour; paint
    """,
    "upper": """
        shirt; t-shirt; tshirt; jacket; coat; sweater; top; blouse; hoodie; vest; jersey; pullover; jumper; upper
        body; torso; upper clothing|clothes; upper half; upper part; upper garment
    """,
    "lower": """
        trouser; pant; jean; short; skirt; legging; lower body; leg; lower clothing|clothes; lower half; slack;
        lower part; lower garment
    """,
    "wear": """
        wear; dress; dress in; clothe; clothes; clothing; outfit; attire; have on; garment; clad; clothed; garb
    """,
    "look": """
        look like; appearance; describe; description; description of; tell about; tell me about; what about the
        look; detail; detail about; details on; information about|on; how do _ look; portray; characterise;
        characterize
    """,
    "size": """
        how big; how large; size; how small; area; dimension; how tall; how wide; small medium or large
    """,
    "together": """
        together; both visible|present|on|in; at the same time; simultaneously; at once; same frame; in the same
        frame; co occur; coincide; share the screen|frame; meet on screen; side by side; both in view; both there;
        in each other 's company; at one time; concurrently; share the frame|screen|picture|scene; overlap in time;
        co-occur; in one frame; in the same shot|picture|image
    """,
    "touch": """
        touch; overlap; collide; bump into; bump; make contact; contact; intersect; run into; crash; crash into;
        hit; in contact; come into contact; meet; collision; cross path; cover; clash
    """,
    "near": """
        near; close to; near to; next to; beside; nearby; adjacent to; alongside; by the side of; in the vicinity
        of; close by; around
    """,
    "nearest": """
        nearest; closest; nearest to; closest to; least distance; minimum|smallest|least|shortest distance; most
        near; come|get closest; neighbour; neighbor; closest together; nearest to each other; closest to each other
    """,
    "farthest_apart": """
        farthest apart; furthest apart; farthest from; furthest from; most distant; largest distance; greatest
        distance; maximum distance; most far apart
    """,
    "distance": """
        distance; how far apart; how close; how far; how far away; how near; gap between; separation; far apart; how
        far be; distance between; distance from
    """,
    "pass": """
        pass; overtake; get ahead of; go past; outrun; move past; run past; drive past; walk past; surpass;
        overhaul; come past
    """,
    "follow": """
        chase; follow behind; pursue
    """,
    "above": """
        above; over; higher than; on top of; higher up than; higher
    """,
    "below": """
        below; under; underneath; beneath; lower than; lower down than; lower
    """,
    "kind": """
        type; category; categories; class; sort; species; kinds of; types of; label; classification; sorts of;
        variety; varieties; group; kind of; what|which kind; kind be there; kind there be; how many kind; kind
        exist|appear|occur; of what kind; kind be it|this|that
    """,
    "other_than": """
        other than; except; except for; apart from; besides; aside from; excluding; not count; but not; excluding
        the; without counting; not a|an; that be not; which be not
    """,
    "not": """
        not; no; never; without; none; neither; non; isnt; none of
    """,
    "all": """
        all; every; each; both; all of; each of; everyone; every single; entire
    """,
    "tag": """
        tag; tags; keyword; hashtag; annotation; annotations
    """,
    "events": """
        happen; go on; take place; occur; event; events; what be do; transpire; activity; activities; action; come
        about; what go on; up to; see in; unfold; what change; behave; behavior; behaviour; doing; what happen
    """,
    "summary": """
        summarise; summarize; summary; overview; gist; describe the?
        video|clip|scene|footage|film|movie|recording|whole|content; about the? video|clip|film; what be the
        video|clip about; tell me about the video|clip|footage; synopsis; recap; brief; abstract; give me an
        overview; outline; sum up; content; contents; what be this video|clip about; in a nutshell; description of
        the? video|clip|scene|footage; report; what be the clip|footage|recording|movie|film about; tell me about
        this video|clip|footage; describe this video|clip|footage; summarise the video; summarize the video;
        recapitulate; run down; rundown; digest
    """,
    "speech": """
        say; speak; speech; spoken; talk; talk about; mention; word say; utter; transcript; transcription;
        transcribe; voice; conversation; dialogue; dialog; hear someone|somebody|anyone|anybody; pronounce;
        narrator; narration; tell us; yell; whisper; shout; converse; chat; speaker; discuss; sentence; utterance
    """,
    "text": """
        write; written; text; sign; caption; captions; on screen text; subtitle; subtitles; letter; lettering; read;
        inscription; print; title; words; signs; spell; writing; signage; billboard; banner; poster; placard; label
        read; word; ocr; screen text; text on screen
    """,
    "sound": """
        sound; audio; noise; music; soundtrack; audio track; sound track; hear; audible; acoustic; listen; noises;
        sounds; sonic
    """,
    "silent": """
        silent; silence; quiet; mute; muted; soundless; no sound; without sound; noiseless; hush; quietest
    """,
    "loud": """
        loud; loudest; noisy; loudly; noisiest; louder; volume
    """,
    "video": """
        video; clip; footage; film; movie; recording; file; videos; clips; vid; library; collection; footages;
        movies; films; media
    """,
    "scene": """
        shot; shots; scene; scenes; take
    """,
    "cut": """
        cut; cuts; scene change; shot change; shot boundary; transition; camera cut; scene cut; scene changes; cut
        to
    """,
    "resolution": """
        resolution; frame size; dimension; dimensions; video size; picture size; image size; how many pixel; pixel
        size; size of the? video|frame|picture|image|clip; width and height; big be the?
        video|frame|picture|clip|image; aspect ratio; aspect
    """,
    "width": """
        width; how wide; wide
    """,
    "height": """
        height; how tall|high be the? video|frame|picture|clip; how high
    """,
    "fps": """
        fps; frame rate; framerate; frame per second; frames per second; frame a second; frames a second; frame /
        second; frame rates; refresh rate
    """,
    "frames": """
        how many frame; number of frame; frame count; frame number; total frame; amount of frame; count of frame;
        count frame; total number of frame; how many image
    """,
    "path_of_file": """
        file path; path of the? video|file; where be the? video|file store; file name; filename; location of the
        file; video path; name of the? video|clip|file
    """,
    "why": """
        why; how come; how do you know; evidence; proof; prove; explain; are you sure; you sure; be you sure; how
        can you tell; justify; on what basis; show me the? evidence|proof; what make you think; reason; really;
        certain; how sure; back up; source; be that right|correct|true; what be that based on; based on what
    """,
    "help": """
        help; what can i ask; what can you do; how do i use; what question; how do this work; what kind of question;
        example question; capability; capabilities; what can you answer; what do you know; usage; instruction;
        hello; hi; hey; thanks; thank you
    """,
    "until_when": """
        until|till when; until|till what|which time|moment|point|second; up to what|which time|moment|point|second;
        up to when; up until when|what
    """,
    "filler": """
        for good; for sure; for certain; at best; good look; best guess; at its best; clock read|say|show; the
        clock; of course; yes or no; or not; by any chance; at all; if any; in general; as far as you can tell; at
        any time|moment|instant|point; at any point in time; in the end; at some point|time|moment; at one point; at
        some point in time; at one point or another; on|in|along|down|across|off|over the? road|street; in the?
        background|foreground; on|off the? field|pitch|stage|court|ground|scene|set|stand; out of the? gate|block;
        take part; at any point whatsoever; as of; by its track; kick off; set out; over time; in the recording
    """,
    "total": """
        in total; total; grand total; altogether; in all; overall number; all together
    """,
    "mean": """
        on average; average; mean; averaged; typical; typically
    """,
    "when_noun": """
        the second
    """,
    "time_noun": """
        time
    """,
}
