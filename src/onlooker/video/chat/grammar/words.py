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
        friday saturday sunday o'clock century location's season summer winter autumn spring
        """
    ),
    "what is behind the picture": words(
        """
        camera's photographer cameraman director filmed-by author who-made created uploader uploaded license-of
        copyright youtube
        """
    ),
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
    win wins winning winner draw drawn put places further farther occupy occupied surround enclose bound pause paused correspond corresponding belong period stamp instant
    share follow greatest highest lowest maximal minimal busiest peak interval stretch phase session material
    content contents result results data base based respect according accordance entry entries row rows record
    records log logged listed information info detail statistic statistics fact facts fully completely entirety
    course length whichever whatever wherever whenever whoever somehow anyhow else otherwise instead shall ought
    able capable manage managed happen happened happens going gonna wanna gotta look looks looking view views
    viewing watch watching viewer viewers user users start-to-finish beginning-to-end start starts started
    starting stop stops stopped identified known called name named names label labelled labeled tagged marked
    designated referred mention mentioned exactly roughly precisely nearly almost barely scarcely simply merely
    truly literally basically essentially really honestly frankly possibly perhaps maybe probably likely
    certainly definitely surely obviously good great fine cool nice lovely super perfect sure yep yeah yup nope
    think believe guess suppose assume reckon figure determine decide conclude infer deduce estimate true false
    correct right wrong question ask asked asking answer answers reply replies respond response next following
    previous preceding prior subsequent final initial opening closing single sole lone only mere entire full
    complete overall aggregate combined cumulative bit piece part parts portion section sections segment
    segments chunk matter terms sense regard regards regarding concerning respecting kind sorts manner fashion
    compare comparing compared comparison versus vs compute computed determine horizontal horizontally vertical
    vertically net respect question questions respectively relative relatively starting finishing original
    originally began latter former initial initially eventually position clock a about across actually again
    against ahead ai all alone along already alright also altogether always am among amongst amount an and
    another answer any anytime anywhere apart appear appears approximate approximately are area around as
    assistant at away back be because been beginning being between big border bot both bottom but by camera can
    case center centre certain clip come comes coming corner could couple curious currently data database dear
    detail details did different distinct do does done down during each edge either else elsewhere end ending
    entire entirely even ever every everywhere exact exactly fast few fewer file film first following footage
    for form format frame frames friend from get gets give given go goes going got had half has have having he
    her here herself hey him himself his hmm how i id ids if im image in individual inside into is it its itself
    ive just keep keeps kind kindly know large last least left less let lets library like long lot lots lower
    made make makes manner many max maximum may me middle might min minimum minute minutes moment more most
    movie mr much must my need neither never next no none nor not now nowhere number numbers o of off oh ok okay
    on once one ones onlooker only onto or other others our out outside over overall own pair part particular
    per picture pixel pixels please point possible precise precisely present previous program px question
    quickly quite rather really recording region right roughly s same say scene screen sec second seconds secs
    see seen separate sequence several shall she short shot should shown side simply since single sir slow
    slowly small so some someday sometime somewhere sort specific start still such system take taken takes tell
    terms than thank thanks that thats the their them themselves then there these they third this those through
    throughout time times to today together too tool top total toward towards twice type uh um unique until up
    upper us use used using value values various very via video view visible want was way ways we well were what
    when where whether which while who whole whom whose why will with within wonder wondering would x x1 x2 xy y
    y1 y2 yes yet you your youre
    """
)

# Openings that say nothing, one a line.
POLITE: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    yes or no
    true or false
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
    """.strip().splitlines()
)

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
