"""Word lists: topics without a column, words without meaning of their own, polite openings, colours."""

from __future__ import annotations

from collections.abc import Mapping


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Things people ask that no column holds, by the name the answer gives them.
UNSUPPORTED: Mapping[str, frozenset[str]] = {
    "feelings and moods": words(
        """
        happy sad angry emotion emotions emotional mood feel feeling feelings smile smiling laugh laughing cry
        crying afraid scared bored excited nervous upset cheerful joyful depressed worried emotionally friendly
        tired aggressive calm thinking intention opinion hate enjoy lonely surprised confused proud jealous
        """
    ),
    "ages": words(
        """
        age old young older younger oldest youngest elderly teen years birthday born
        """
    ),
    "gender": words(
        """
        gender sex masculine feminine
        """
    ),
    "names and identities of people": words(
        """
        called surname identity's famous celebrity actor actress nationality citizen race ethnicity religion
        religious job profession occupation married related
        """
    ),
    "prices and values": words(
        """
        price cost costs worth expensive cheap dollar dollars euro euros money salary buy sell sold cheaper owner
        owns
        """
    ),
    "weather and light": words(
        """
        weather rain raining rainy snow snowing snowy sunny cloudy wind windy temperature hot cold warm degrees
        celsius fahrenheit storm fog foggy daylight night daytime sunset sunrise
        """
    ),
    "licence plates": words(
        """
        licence license plates registration
        """
    ),
    "makes and models": words(
        """
        brand manufacturer toyota ford bmw breed year-built engine horsepower mileage
        """
    ),
    "songs": words(
        """
        song songs singer melody tune lyrics artist album band composer genre
        """
    ),
    "real-world sizes and weights": words(
        """
        weight weigh weighs heavy heavier heaviest tall taller tallest meter meters metre metres mph kmh kph
        kilometers kilometres km mile miles inch inches feet kilogram kg pounds calories
        """
    ),
    "places and dates": words(
        """
        country city town continent latitude longitude gps date month weekday monday tuesday wednesday thursday
        friday saturday sunday o'clock century day world planet location's season summer winter autumn spring
        """
    ),
    "what is behind the picture": words(
        """
        camera's photographer cameraman director filmed-by author who-made created uploader uploaded license-of
        copyright youtube
        """
    ),
    "accidents and crimes": words(
        """
        accident accidents crime crimes theft robbery burglary emergency incident incidents
        """
    ),
    "breaks": words("break breaks"),
    "opinions": words("opinions suspicious suspicion"),
    "health": words(
        """
        sick ill healthy dead alive pregnant injured hurt hungry thirsty asleep sleeping disease
        """
    ),
    "quality and taste": words(
        """
        beautiful ugly cute funny boring interesting handsome favourite favorite smart stupid delicious tasty taste
        smell smells
        """
    ),
}

# Words that never name a thing that was asked about.
FUNCTION_WORDS = words(
    """
    a able about accordance according account across actually again against aggregate ahead ai all almost alone along
    already alright also altogether always am among amongst amount an and another answer answers any anyhow anytime
    anywhere apart appear appears approximate approximately are area argmax argmin around as ask asked asking
    assistant assume at avg away back balance barely base based basically be because been began beginning beginning-
    to-end being believe belong between big bit bloke border boss bot both bottom bound buddy busiest but by calculate
    called camera can capable case center centre certain certainly change changed changes chap chunk claim claims clip
    clock closing clue column columns combined come comes coming compare compared comparing comparison complete
    completely compute computed concerning conclude consider considered considering content contents cool corner
    correct correspond corresponding could couple course crowded cumulative curious currently data database dear
    decide deduce definitely designated detail details determine did different disregard distinct do does done down
    draw drawn dude during each edge either else elsewhere enclose end ending enough enquire entire entirely entirety
    entries entry essentially estimate even eventually ever every everybody everywhere exact exactly express
    expressed fact facts false farther fashion fast fellow few fewer figure file film final fine finishing first folks
    follow following footage for form format former frame frames frankly friend from full fully further gate get gets
    give given go goes going gonna good got gotta great greater greatest ground guess guys had half happen happened
    happens rank ranked ranking sort sorted arrange arranged ordered
    has have having he her here herself hey highest him himself his hmm honestly hope hoping horizontal horizontally
    how i id identified ids if ignore ignoring im image in individual infer info information initial initially inquire
    inside instant instead interval into is it its itself ive judge judging just keep keeps kind kindly know known
    label labeled labelled large last latter learn least left length less let lets library like likely listed
    literally log logged lone long look looking looks lot lots lovely lower lowest made make makes manage managed
    manner many mark marked mate material matter max maximal maximum may maybe me mean mention mentioned mere merely
    middle might min minimal minimum minute minutes mom moment more morning most movie mr much must my name named
    names nearly need neither net never next nice no none nope nor not now nowhere number numbers o oblige obliged
    obviously occupied occupy of off oh ok okay on once one ones onlooker only onto opening or original originally
    other others otherwise ought our out output outside over overall own packed pair pal part particular parts pause
    paused peak per perfect perhaps period phase picture piece pixel pixels places please point portion position
    possible possibly preceding precise precisely present previous prior probably program provide put px question
    questions quick quickly quite ranking rather really reckon record recording records referred regard regarding
    regards region relative relatively remember remembering replies reply report respect respecting respectively
    respond response result results return right roughly row rows s same say scarcely scene screen sec second seconds
    secs section sections see seen segment segments select sense separate sequence session several shall share she
    short shot should shown side simply since single sir slow slowly small so sole some someday somehow sometime
    somewhere sort sorts specific speeding stamp start start-to-finish started starting starts state stated statistic
    statistics still stop stopped stops store stored stores stretch subsequent such sum super suppose sure surely
    surround system tagged take taken takes tape tell terms than thank thanks that thats the their them themselves
    then there these they think third this those through throughout time times to today together tomorrow tonight too
    tool top total toward towards trouble true truly try trying twice type uh ultimately um unique until up upper us
    use used user users using value values various versus vertical vertically very via video view viewer viewers
    viewing views visible vs wanna want was watch watching way ways we well were what whatever whatsoever when
    whenever where wherever whether which whichever while who whoever whole whom whose why will win winner winning
    wins with within wonder wondering would wrong x x1 x2 xy y y1 y2 yeah yep yes yesterday yet you your youre yup
    onward onwards whilst amid amidst via thus hence thereby therein herein within upon ditto likewise confirm verify
    soon
    tracker trackers detector detectors algorithm software
    closely carefully clearly plainly merely
    minus rate amount scale sake regard concern issue topic honest bit er erm umm hmm hm mhm ahem
    """
)

# Openings that say nothing, one a line.
POLITE: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    be so kind as to tell me
    be so kind as to
    be good enough to
    be kind enough to
    yes or no
    true or false
    return
    output
    compute
    calculate
    provide
    state
    please state
    guess
    please tell me
    can you tell me
    could you tell me
    would you tell me
    will you tell me
    can you please tell me
    could you please tell me
    i would like to know
    i want to know
    i need to know
    do you know
    tell me
    let me know
    i wonder
    i am wondering
    i was wondering
    i am curious
    i would like you to tell me
    can you say
    could you say
    please
    can you please
    could you please
    would you please
    can you
    could you
    would you
    will you
    may i ask
    any idea
    do you happen to know
    just tell me
    say
    quick question
    ok
    okay
    hey
    hi
    hello
    well
    so
    now
    and now
    i want you to
    i need you to
    i would like to see
    i would like
    i need
    i want
    let us know
    help me find out
    help me find
    find out
    check
    check whether
    check if
    figure out
    work out
    tell us
    kindly
    first of all
    in this video
    in the video
    in this clip
    in the clip
    in the footage
    in this footage
    looking at the video
    looking at this video
    according to the video
    from the video
    from this video
    my question is
    the question is
    i ask
    i am asking
    what i want to know is
    can|could|may|might i please|kindly? have|get
    can|could|may|might i please|kindly? ask|know
    can|could|may|might i ask you? for|about?
    can|could|may|might i trouble|bother you for
    could|can|would|will someone|somebody|anyone|anybody please|kindly? tell|inform|say|show me|us?
    would|do you mind telling|showing|giving|saying me|us?
    would you be able to tell me|us?
    are you able to tell me|us?
    i would|should like|love to be told|know|learn|hear|find
    i would|should like|love to find out
    i would|should be|have been curious|interested|glad|happy|keen to know|learn|hear|see
    i would|should be|have been delighted|pleased|grateful|obliged to know|learn|hear|see
    i would|should be curious|interested about|in?
    i would|should appreciate knowing|hearing
    i would|should be grateful|thankful|obliged for
    i am trying|hoping|looking|keen|curious|interested|eager|dying|supposed to find|figure|work|make out?
    i am trying|hoping|looking|keen|curious|interested|eager|dying to know|learn|see|tell|determine|establish
    we would like|love to know|learn|hear
    we want|need|wish|have to know|learn
    i wish|have|ought to know|learn
    i just|only|really|simply|also? want|need to know|learn
    it would be good|nice|great|useful|helpful|interesting|splendid|wonderful|lovely|perfect to know|learn|hear
    it would be good|nice|great|useful|helpful|splendid|wonderful|lovely|perfect if you could|can|would tell|show me|us?
    perhaps|maybe you|someone|somebody could|can|might tell|show|inform|clarify|explain|say|confirm for? me|us?
    i|we was|were|am|are hoping|wondering if? you|someone|somebody could|can|might|would tell|show|let me|us? know?
    to tell|say me|us?
    good morning|afternoon|evening|day
    do|please let me|us know
    does|do anybody|anyone|somebody|someone|you|we happen_to? know|remember|recall
    i|we should|must say|admit
    do tell me?
    pray tell me?
    is it possible to tell|say|know|see
    would it be possible to tell|say|know|get|have
    i do not know
    i can not tell|remember|recall
    just curious
    out of curiosity
    quick one
    one thing
    tell me honestly|quickly|exactly|please
    for me
    for the record
    if you can|could|would tell|say
    who can|could tell|show me|us
    can|could|may|might one please|kindly? ask|enquire|inquire|know|learn
    can|could|may|might i please|kindly? enquire|inquire|learn as_to?
    what was i going|about to ask|say
    oh yes|right|well
    idk|dunno
    i have no idea
    """.strip().splitlines()
)

# Openings after which a statement is to be judged; `a|b` are alternatives, `a?` may be left out, as in the cues.
ASSERTING: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    would you say|think|agree that?
    do you think|believe|reckon|suppose|agree that?
    did you think|notice that
    can|could|may we|i|one say|assume|conclude that
    is|was it true|correct|right|possible|so|likely that
    is|was it the case that
    is|was it your|their testimony|view|opinion|understanding|position|contention|evidence|impression|belief that
    sources|people|witnesses|some|they claim|say|report|insist that
    is|was it not true|correct|right|so|likely that
    is|was it not the case that
    should|would|can|could|may|might|will i|we|one|you expect to see|find
    could|can|may|might it be true?|the? case? that
    am i right|correct that
    am i right|correct in thinking|saying|assuming|believing that?
    i am right|correct in thinking|saying|assuming|believing that?
    confirm|verify that|whether|if
    can|could|would|will you please|kindly? confirm|verify|check that|whether|if
    please confirm|verify|check that|whether|if
    i think|believe|guess|suppose|reckon|assume|bet|suspect that?
    i take it that?
    so? you are saying|telling me that?
    true or false
    yes or no
    """.strip().splitlines()
)

# What may stand behind a question without being part of it.
TAILS: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    please
    pls
    plz
    thanks
    thank you
    thanks a lot
    many thanks
    thx
    ta
    cheers
    please and thank you
    thank you very? much?
    thank you so much
    thanks in advance
    if you please
    if you do not mind
    if you would|could|can|may
    if possible
    if i may ask?
    may i ask
    do you know
    can|could|would|will you please?
    can|could|would|will you tell me please?
    any idea
    any ideas
    i wonder
    i mean
    you know
    """.strip().splitlines()
)

# Words before a question that only lead up to it.
QUESTION_WORDS = words("what which who whom whose where how when")
WATCHERS = words("i we you")
DEMONSTRATIVES = words("that this those these")
# That something is so all the time; a pattern for whoever asks it of more than this.
ALL_TIME = r"always|constantly|the (?:whole|entire) time|all the time|at all times|all along"
LEADING = words("and but or so also then now , . ! please : ; -")

# Colour names as annotators write them, each with other words for it.
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
