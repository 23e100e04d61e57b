"""Definitions that hold every type, for tests: the smallest that can go wrong in every way."""

from contracts.views import BATCH, STREAM, Definitions, Entity, Field, OnDemand, Service, View
from integration.feature.computing import double

PROJECT = "sample"
KINDS = ("string", "int64", "int32", "float64", "float32", "bool", "bytes", "unix_timestamp")


TEXTS = View(
    name="texts",
    entities=("name",),
    features=tuple(Field(f"s_{kind}", kind, f"a {kind}") for kind in KINDS),
    ttl=3600,
    source=STREAM,
    owner="tests",
    description="everything, about a name",
)
MORE = View(
    name="more",
    entities=("name",),
    features=(Field("m_int64", "int64", "a number"),),
    ttl=0,
    source=STREAM,
    owner="tests",
    description="another view of the same entity",
)
NUMBERS = View(
    name="numbers",
    entities=("number",),
    features=(Field("n_float64", "float64", "a number"), Field("n_string", "string", "a text")),
    ttl=0,
    source=BATCH,
    owner="tests",
    description="about a number",
)
PAIRS = View(
    name="pairs",
    entities=("number", "name"),
    features=(Field("p_int64", "int64", "a number"),),
    ttl=0,
    source=BATCH,
    owner="tests",
    description="about a name and a number together",
)
COMPUTED = OnDemand(
    name="computed",
    features=((Field("doubled", "float64", "twice as much"), double),),
    inputs=("texts:s_float64",),
    request=(Field("amount", "float64", "how much"),),
    owner="tests",
    description="computed when asked for",
)
DEFINITIONS = Definitions(
    project=PROJECT,
    entities=(Entity("name", "string", "a name"), Entity("number", "int64", "a number")),
    views=(TEXTS, MORE, NUMBERS, PAIRS),
    on_demand=(COMPUTED,),
    services=(
        Service("all_v1", ("texts", "more", "numbers", "pairs"), "tests", "all that is stored"),
        Service("computed_v1", ("more", "computed"), "tests", "something computed"),
    ),
)
