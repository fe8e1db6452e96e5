"""Phrases that say what kind of answer is wanted: how many, when, how long, where, which, more or fewer."""

from __future__ import annotations

from collections.abc import Mapping

ASKING_CUES: Mapping[str, str] = {
    "count": """
        what|which figure; what tally; what total; census; roll call; how many; number of; count; count of; count
        up; total|overall number|count of?; amount of; quantity of; what number of; tally; head count; how much of;
        how numerous; what total of; headcount; body count; sum of; sum total; sum up how many; population of; size
        of the set; head-count; what count; how large be the number; add up all|the; total up; number all; tot up;
        tally up; tally of; enumerate how many; cardinality of; how big be the group|set|crowd of; grand total of;
        total of; overall count; how high be the number|count of; how great be the number of; quantity; count for;
        how often; how many time; there be what; there are what; be what number; how much; a figure for|of; give me
        a figure; qty; qty of; figure for; how large|big|high a number|count|total of; numbers of; how many of;
        add|sum up to how
        many|what; amount|come|run to how many|what; total how many
    """,
    "total": """
        in total; total; grand total; altogether; in all; overall number; all together
    """,
    "when": """
        where|whereabouts on the timeline|clock; where in time; when; when exactly; what|which|whatever time; at
        what|which time|moment|point|second|instant|timestamp|frame; what|which second|moment|timestamp|instant;
        time stamp; timestamp; how soon; how late; how early; time|moment|second|instant when|at|that; time of;
        moment of; how many second into|in|before|until|till|after; how far into; how far in; how long
        until|till|before; how long do it take; from when; at what|which point in? time; point in time; exact
        time|moment|second; starting time; start time; end time; how deep into; what second; around|about what time;
        around when; since when; until when; till when; how many second pass|elapse before|until;
        first|earliest|initial|last|latest|final moment|time|second|instant|timestamp; first|earliest|last|latest
        point in time; entry|exit|arrival|departure|start|starting|end|ending|leaving|finish time; moment when;
        pinpoint when; since what time|moment|second|point; beginning at what|which time; on what|which
        second|frame|moment; exact moment|second|instant|time; in what|which second|minute; what be the time; what
        clock time; what moment in time; whereabouts in time; how many second from the start; how many second have
        pass|elapse when|before; how many second be on the clock; after how many second; how long after the
        start|beginning; how long into; how many second from the beginning; how late into; how early on; in which
        moment; in what|which frame|image; time point; time index; timecode; time code; at how many second; which
        point in time; which time; time in second|minute; at
        what|which number of second|minute; as of what|which time|second; how many second in|into;
        second|moment|instant|time|frame in|at|on which; minute in which; the? second|moment|instant|time|frame
        in|at|on which; the? second|moment|instant|time when; from what|which second|moment|time|point|instant
        on|onward|onwards?; from when on|onward|onwards; by when; by what|which time|second|moment; point at|in
        which; how far along; upon what|which second|moment; in how many second; since what|which second; second
        number; how many second along
    """,
    "when_noun": """
        the second; the moment; the instant
    """,
    "time_noun": """
        time
    """,
    "until_when": """
        until|till when; until|till what|which time|moment|point|second; up to what|which time|moment|point|second;
        up to when; up until when|what
    """,
    "how_long": """
        add|sum|total|tally up? the? second|minute; stay|presence|visit in second|minute; runtime; running|run time;
        playing|play time; how many second in the?
        frame|view|shot|picture|sight|scene; how many second on the? screen|camera|display; how much of the?
        video|clip|footage|recording; how long; for how long; how many second|minute|frame; for how many
        second|minute|frame; how much time; how much screen time; duration; length of time; amount of time; number
        of second|minute; screen time; total time; length; time span; how long a time; lifespan; lifetime;
        visibility time; how many second of; for what length|amount of? time?; for what duration; visible time; on
        screen time; how much of the time; total screen time; time visible|on; how many second in total; second
        that; second during|in|for|over which; time that; number of second that; time during which; amount of time
        that; second be? visible|on|in|see; second a|an|the; second for which; how many second pass|elapse|go|lie;
        how much later|earlier|sooner; how much time pass|elapse; length of stay; length of its|his|her|their?
        visibility|presence|appearance|stay; dwell time; visible|screen second|minute; exposure time; time on
        screen|camera|display; time in the?
        view|frame|shot|picture|sight|video|clip|scene; time span of; add up how long; total duration; overall
        duration; visible duration;
        over how many second; across how many second; for what|which period; period of; how lengthy; how extended;
        how much footage; how many second worth; second count; how brief; how short a time; what length; how
        prolonged; number of second; number of second the|a|that; what|which number of second|minute; total of what
        second|minute; for what second; sum of visible|screen time; total of what; total period; for what total
        period; what total period; sum of time; for|over|during|across|through|throughout what|which|how
        span|stretch|length|period|amount|interval|spell|window of_time?; what|which|how
        span|stretch|length|period|amount|interval|spell of time; count the? second|minute;
        average|mean|typical visible? time; for|over|during how long|big
        a_span|a_stretch|a_period|an_interval|a_spell of? time?; how long a
        while|spell|stint|span|period|stretch|stay|visit; for what|which total? span|stretch|interval|spell|time; by
        how many second|minute; span of time; stretch of time; how many second all|in altogether|all|total; time in
        all; visibility; interval for|during|over which; for which; total second; second with; stretch during which;
        duration for which
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
        fetch; retrieve; obtain; grab; pull|look up; single|pick|point out; list; enumerate; show; show me; give;
        give me;
        hand|fetch|bring|pass|send|grant|offer|read me; provide|supply me with?; furnish me with; read out|off;
        name; name of; tell; identify; display; print; get; pick; spell out; report; highlight; determine; find
        all|every
    """,
    "what": """
        what; whatever
    """,
    "how": """
        how
    """,
    "mean": """
        average|mean|typical visible? time; on average; average; mean; averaged; typical; typically
    """,
    "order": """
        order; sequence of; order of; in what|which order; chronological order; chronologically; order of
        appearance; in order
    """,
    "not": """
        not; no; never; without; none; neither; non; isnt; none of
    """,
    "all": """
        all; every; each; both; all of; each of; everyone; every single; entire
    """,
    "other_than": """
        other than; except; except for; apart from; besides; aside from; excluding; not count; but not; excluding
        the; without counting; not a|an; ignore; ignoring; disregarding; leave out; leave aside; leave off;
        disregard; set aside
    """,
    "filler": """
        be in front of the? lens|camera|us|me|viewer; in front of the? lens|camera|us|me|viewer; have? lose count
        of?; for good; for sure; for certain; at best; good look; best guess; at its best; clock read|say|show; the
        clock; of course; yes or no; or not; by any chance; at all; if any; in general; as far as you can tell; at
        any time|moment|instant|point; at any point in time; in the end; at some point|time|moment; at one point; at
        some point in time; at one point or another; on|in|along|down|across|off|over the? road|street; in the?
        background|foreground; on|off|onto the? field|pitch|stage|court|ground|scene|set|stand; out of the?
        gate|block;
        in|on|inside|at|around|out_of the|my|our|this shop|store|premise|premises;
        my|our shop|store|premise|premises; on|by|with the|this|my|our camera|trail?
        trap; camera|trail trap; field of play; take part; at any point whatsoever; as of; by its track; kick off;
        set out; over time; in the recording; find|figure|work out;
        speak of; on balance; all in all; in here; of these two; of the two; of those two
    """,
    "peak": """
        how busy|crowded|full|packed;
        at the most; when most be; when most of they|them be; peak|maximum|max|highest|greatest occupancy; densest;
        most packed; at its|their densest|thickest; top|max out at; peak at; at the same time; at once;
        simultaneously; at one time; at any one|given|single time|moment|instant|point; concurrently;
        in|on|within|per|during one|a|any|a_single|the_same|one_single|any_one|any_single|a_given|each
        frame|image|moment|picture|shot; at the same moment|instant; maximum number; max number; peak;
        largest|greatest|highest|biggest|maximum|max number|count|amount; at most; most crowded; busiest; crowded;
        at a time; all at once; fullest; in parallel; simultaneous; concurrent; maximum|max concurrent|simultaneous;
        in the same frame|image|picture; maximum; at the very same time; at one and the same time; at peak; side by
        side; at any single moment|time; share the screen|frame; most object visible; together; jointly; co occur;
        coincide; one and the same frame; same frame; at any given moment|time|instant; record for; record number;
        high water mark; ceiling; upper bound; maximal number; top number; at a single point in time; at a single
        moment|instant|time|point; at any single point in time; in one shot; in the? same time|moment|instant|second;
        upper limit; there be the? most; the? most of them|these|those; record high; high record;
        largest|biggest|greatest|highest crowd|group|set|collection|gathering of?; at its|their|the
        busiest|fullest|peak|maximum|height; maximum of; most ever; ever at once;
        at its biggest|largest|highest; most at once; high point; all time
        high; most populated; fullest frame; per frame at most; in the fullest frame; maximum that; it ever
        get|reach|climb|become; largest it; most it; maximum over; max over; over frame; over all frame; per frame
    """,
    "more": """
        more; more than; outnumber; more numerous; more numerous than; greater in? number; more often; exceed
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
    "most_common": """
        most common; most frequent; most often; most numerous; most abundant; appear the? most; predominant;
        dominant; most prevalent; most popular; commonest; mostly; majority; most plentiful; highest count;
        be there the? most of
    """,
    "least_common": """
        least common; least frequent; rarest; least often; fewest; least numerous; minority; least abundant;
        be there the? least|fewest of
    """,
}
