"""Why the lake refuses, in the user's language: its services name their errors, and these are the names."""

from __future__ import annotations

from lab.errors import Reason
from lab.text import Text

_AGAIN = Text(
    en="take the version of the code that the set was made by, or build the set anew",
    fr="prenez la version du code qui a produit le jeu, ou construisez le jeu de nouveau",
)
_UP = Text(en="`lab up` puts it right", fr="`lab up` le remet en ordre")

REASONS = {
    "BadRequest": Reason(
        Text(en="that cannot be used", fr="cela ne peut pas servir"),
        Text(
            en="correct it; `lab data list` shows names and commits",
            fr="corrigez ; `lab data list` montre les noms et les commits",
        ),
    ),
    "BadSetting": Reason(Text(en="the lake is set wrongly", fr="le lac est mal réglé"), _UP),
    "BadQuality": Reason(
        Text(en="the data break their contract", fr="les données ne respectent pas leur contrat"),
        Text(
            en="see the day's quality report; correct the source, and build again",
            fr="voyez le rapport de qualité du jour ; corrigez la source, et construisez de nouveau",
        ),
    ),
    "Contended": Reason(
        Text(en="somebody else is at work there", fr="quelqu'un d'autre y travaille"),
        Text(en="run again in a moment", fr="relancez dans un instant"),
    ),
    "Differs": Reason(Text(en="the bytes are others", fr="les octets sont différents"), _AGAIN),
    "EmptyRange": Reason(
        Text(en="there is nothing in that range", fr="il n'y a rien dans cette période"),
        Text(
            en="the replay begins on 2013-01-01 and may not be that far: choose earlier days, or wait",
            fr="le rejeu commence le 2013-01-01 et n'en est peut-être pas là : choisissez plus tôt, ou attendez",
        ),
    ),
    "Leak": Reason(
        Text(en="a column is known only after the prediction", fr="une colonne n'est connue qu'après la prédiction"),
        Text(
            en="leave the column out; or allow it with `--allow-leak COLUMN`, and the manifest says so",
            fr="laissez la colonne de côté ; ou permettez-la avec `--allow-leak COLUMN`, et le manifeste le dira",
        ),
    ),
    "SchemaChanged": Reason(
        Text(en="a definition or a table is another", fr="une définition ou une table a changé"), _AGAIN
    ),
    "StoreAway": Reason(
        Text(en="the object store does not answer", fr="le magasin d'objets ne répond pas"),
        Text(
            en="run again in a moment; `lab up` brings the store back",
            fr="relancez dans un instant ; `lab up` ramène le magasin",
        ),
    ),
    "OnlineStoreAway": Reason(
        Text(en="the online store does not answer", fr="le magasin en ligne ne répond pas"),
        Text(
            en="run again in a moment; `lab up` brings Redis back",
            fr="relancez dans un instant ; `lab up` ramène Redis",
        ),
    ),
    "TableBroken": Reason(
        Text(en="a table is damaged", fr="une table est endommagée"),
        Text(
            en="`lab reset` begins the lake anew from the log",
            fr="`lab reset` recommence le lac à partir du journal",
        ),
    ),
    "TableMissing": Reason(
        Text(en="a table, or a version of it, is not there", fr="une table, ou une de ses versions, n'est pas là"),
        Text(
            en="a new lake has no tables before its first batch run: wait for it. A version that a vacuum took away "
            "does not come back: build the set anew",
            fr="un lac neuf n'a pas de tables avant son premier lot : attendez-le. Une version retirée par un vacuum "
            "ne revient pas : construisez le jeu de nouveau",
        ),
    ),
    "ToolFailed": Reason(
        Text(en="a program failed", fr="un programme a échoué"),
        Text(
            en="read its words above and run again; what was kept before is as it was",
            fr="lisez ses mots ci-dessus et relancez ; ce qui était gardé est resté tel quel",
        ),
    ),
}
"""Name of a service's error -> what it means here."""

UNKNOWN = Reason(
    Text(en="the lake failed", fr="le lac a échoué"),
    Text(en="run again; `lab doctor` looks at the node", fr="relancez ; `lab doctor` examine le nœud"),
)
"""For an error that is not in the list."""
