"""Phrases about objects: coming and going, moving, ranks, looks, and two of them together."""

from __future__ import annotations

from collections.abc import Mapping

OBJECT_CUES: Mapping[str, str] = {
    "start": """
        time in; last|latest|first to show; last|latest|first to be add; be add; first come up; track start|begin;
        show up;
        pop up; turn up; enter; arrive; emerge; surface; materialise; materialize;
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
        first; catch; entrant; newcomer; first arrival; first|last|earliest|latest on the scene; first|begin|start
        be around|about|there|here|glimpse|sight; start|begin to? be in view|sight|frame|shot|picture; burst
        in|onto; heave into view|sight; swing into view|sight; first
        glimpse|discover|witness|perceive|encounter|meet|pick_up; glimpse|sight first; make it into? the?
        frame|picture|shot|view|scene; first instance of
    """,
    "end": """
        time out; until|till later|latest; stay|remain|linger later|latest; track end|finish|stop; end of the? track;
        end of
        its|his|her|their track; lose; say|bid|wave
        goodbye|farewell|bye|adieu to; clear|make|push off; clear out; take its|his|her|their leave; see the back
        of; last around|about|there|here; glimpse|sight last; stop|cease be in
        view|sight|frame|shot|picture|around|there; be no more; last discover|witness|perceive|sight|pick_up;
        last|final instance of; make an exit; get out of the? view|sight|frame|scene|picture|shot; leave; exit;
        disappear; vanish; go away|off|out; last time; for the last time; final
        appearance|sighting|moment|time|glimpse|frame|second; last
        appearance|sighting|moment|glimpse|occurrence|second|instant|frame|detection|point;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush out|off of? the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; drop out; drop out of the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush out;
        come|get|walk|drive|move|step|go|run|ride|fly|swim|slip|cross|pull|roll|pop|jump|rush off; depart;
        departure; out of the? view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field;
        nip|pop|slip|dash|dart|sneak off|out|away; scarper; leave the?
        view|sight|frame|scene|picture|shot|video|screen|image|clip|camera|footage|field; left the?
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
        disappear|leave|exit; closing appearance; go off; be gone; have gone; gone for good; last
        see|visible|spot|detect|observe|appear|show|notice|present|track|exist|find|record; visibility
        end|stop|cease; last in view|frame|shot|sight|picture; last on screen|camera
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
        see; lay eye on; come across; pass before; crop up; make an appearance; materialise; materialize; glimpse;
        be around for|at|until|during|longest|the_longest|here|then|now; populate; inhabit; occupy; log;
        hang|knock|potter|mill|mess about|around|on|out; be about; dwell; loiter; lurk; reside; in attendance; in
        existence; in the? field of
        view; on the? screen; keep in view|sight|frame|shot; discover; perceive; behold; out there|here; all told
    """,
    "move": """
        move; go; travel; drive; walk; ride; run; fly; swim; cross; head; cruise; jog; march; roam; wander; stroll;
        pass by; pass through; go by; drive by; walk by; run by; drive past; roll by; go past; pass through the?
        frame|scene|picture|video; motion; movement; glide; float; sail; cycle; roll; race; rush; tour; traverse;
        hurry; traverse the? frame|scene|picture; cross the? frame|scene|picture|screen|image|street|road; drift;
        make it way; progress; shift; proceed; drive through; walk through; come through
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
        direction; trend; head to|toward|towards; head; dir; net|overall|general|main direction
    """,
    "end_up": """
        end up; finish; wind up; end; net displacement; displacement; compare to|with where; relative to where; than
        where; than it start; than at the start; than when it start; shift; drift; finish up; overall; start
        position; starting point|position|place; by the end; final position; eventually; displaced; net
        movement|motion|direction|shift|change; on the whole; in the long run; end point|position|place
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
        fastest; quickest; speediest; swiftest; most quickly|rapidly|swiftly; most speed; set|make the?
        fastest|quickest|hottest pace; go|move the fastest; most
        rapid|quick|fast|swift; maximum velocity; fast of all; win the race; outpace all; top speed;
        highest|greatest|top|maximum|max|largest|biggest|most average|mean|overall? speed|velocity|pace;
        outpace|outrun|beat all|every|everyone|everything|any; outpace the others|rest; win a race; speed champion;
        speed record; high|higher speed than any|all; faster than any|all|every; quicker than any|all|every; faster
        than everyone|everything; zip; fastest of all; fast mover; speed leader; record speed; peak speed; best
        speed; argmax of|over speed|velocity; arg max of|over speed|velocity; argmax of the? speed; speed the most;
        who would win; would win; who win; which win; who wins; which wins; come out on top; on top; fastest mover;
        nippiest; zippiest; fleetest; the? most pace
    """,
    "slowest": """
        slowest; most slowly; least fast|quickly|rapid; most slow; least speed; most sluggish;
        lowest|least|smallest|minimum|min average|mean|overall? speed|velocity|pace; slower than any|all|every; slow
        mover; slowpoke; dawdle the? most; crawl|creep the? most; slowest of all; slow of all; least pace; slowest
        mover
    """,
    "faster": """
        move|go|travel|drive|walk|run|ride|fly more quickly|rapidly|swiftly|fast|speedily; faster; quicker; more
        quickly|rapidly|swiftly|fast; speedier; swifter; more speed; more rapid|quick; outpace; outrun; have the?
        higher speed; at a higher speed|velocity; higher|greater|more|larger|bigger average|mean|overall?
        speed|velocity|pace; fast of; outspeed; be the fast|faster mover|one; beat; quicker mover; fast mover;
        show|have more|greater speed; at a higher|greater average? speed|velocity; outstrip; outdistance; nippier;
        zippier; fleeter; more|greater pace; with more|greater speed|velocity|pace
    """,
    "slower": """
        move|go|travel|drive|walk|run|ride|fly more slowly; move|go|travel|drive|walk|run|ride|fly less
        quickly|rapidly|swiftly|fast; slower; more slowly; less quickly|fast|rapidly; slow than; more slow;
        lower|less|smaller average|mean|overall? speed|velocity|pace
    """,
    "longest": """
        longest; most time; most? long lived; long lasting; greatest|longest|maximum|largest|highest|biggest
        duration|time|screen; longest time; for the longest; the longest lasting; longest lasting; longest lived;
        most long; longest visible; most frame; maximum length of? time?;
        longest|greatest|largest|biggest|highest|maximum|most length|amount|period|span|stretch of time|seconds;
        highest number of frame|second; most screen time; the? most second; on screen|camera the? most; in view the?
        most; visible|see|present the? most; longer than any|all|every; longest stay|visit; longest presence; longest
        appearance; longest visibility; longest span; longest run; longest track; longest life; longest period;
        longest of all; longest stretch; most visible; most long lasting; outlast all|every|the|any; argmax of|over
        duration|time; argmax of visible|screen time; largest|greatest|highest|biggest|most number of
        second|frame|minute; greatest number of second; hang around the longest; persist longest; persist the
        longest
    """,
    "shortest": """
        shortest; briefest; visible|see|present|around|there the? least; in view the? least; on screen|camera the?
        least; shortest|smallest|lowest|minimum|least length|amount|period|span|stretch of time|seconds; least time;
        least screen time; most briefly; shortest|smallest|least|minimum|lowest duration|time|screen; fewest
        second|frame; minimum time; shortest lived; the least amount of time; shorter than any|all|every; shortest
        stay; shortest visit; shortest presence; shortest appearance; shortest visibility; shortest track; least visible
    """,
    "longer": """
        longer; outlast; outlive; outstay; more time; more second; greater duration; for more time
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
        first; earliest; the earlier|sooner to|one|of; first of all; soonest; initial; before all other; before all
        the other; before
        everyone|everything|anyone|anything else; at first; opening; before everybody|everyone|anyone; ahead of
        all|everyone|everything|the rest; at the outset; original; first of; first in; foremost; oldest
    """,
    "last": """
        last; latest; final; last of all; lastly; most recent; after all other; after all the other; after
        everyone|everything else; finally; newest; most recently; latecomer; late comer; in the end; at the very
        last; closing; after everybody; latest of all; the last in; last in; at last; last of; ultimate; rearmost;
        final arrival; latest arrival; most late; youngest; appear|enter|arrive|come most late|lately|recently;
        latest to; the later to|one|of; until|till later|latest; stay|remain|linger later|latest
    """,
    "before": """
        before; earlier; earlier than; sooner; sooner than; prior to; ahead of; precede; in advance of; before that;
        beat to; ahead; preceding; before the; previous to
    """,
    "after": """
        after; later; later than; subsequent to; behind; follow; succeed; after that; subsequently
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
        wear; dress; dress in; clothe; clothes; clothing; outfit; attire; have on; put on; garment; clad; clothed; garb
    """,
    "look": """
        look like; everything|all about; know about; appearance; describe; description; description of; tell about;
        tell me about; what about the
        look; detail; detail about; details on; information about|on; how do _ look; portray; characterise;
        characterize
    """,
    "size": """
        how big; how large; size; how small; area; dimension; how wide; small medium or large
    """,
    "together": """
        together; both visible|present|on|in; at the same time; simultaneously; at once; same frame; in the same
        frame; co occur; coincide; share the screen|frame; meet on screen; side by side; both in view; both there;
        in each other 's company; at one time; concurrently; share the frame|screen|picture|scene; overlap in time;
        overlap on screen|camera|film|tape;
        co-occur; in one frame; in the same shot|picture|image
    """,
    "touch": """
        touch; overlap; collide; bump into; bump; make contact; contact; intersect; run into; crash; crash into;
        hit; in contact; come into contact; collision; clash
    """,
    "near": """
        near; close to; near to; next to; beside; nearby; adjacent to; alongside; by the side of; in the vicinity
        of; close by; around; meet; meet up with?; cross path with?
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
        variety; varieties; group; kind of; what|which kind; kind be there; kind there be; kind exist|appear|occur;
        of what kind; kind be it|this|that
    """,
}
