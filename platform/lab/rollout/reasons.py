"""What the release controller cannot do, by the kind that it names, with a remedy in both languages."""

from __future__ import annotations

from lab.errors import Reason
from lab.text import Text

REASONS = {
    "BadPlan": Reason(
        Text(en="the plan cannot be carried out", fr="le plan ne peut pas être exécuté"),
        Text(
            en="correct that field of the plan and start again; nothing was changed",
            fr="corrigez ce champ du plan et recommencez ; rien n'a changé",
        ),
    ),
    "Conflict": Reason(
        Text(
            en="the route changed at the same moment, each time", fr="la route a changé au même moment, à chaque essai"
        ),
        Text(en="give the order again", fr="redonnez l'ordre"),
    ),
    "ApiFailure": Reason(
        Text(en="the controller cannot work on its route", fr="le contrôleur ne peut pas travailler sur sa route"),
        Text(
            en="look at `lab kubectl -n chain get httproute serving -o yaml`; `lab up` brings a missing one back",
            fr="regardez `lab kubectl -n chain get httproute serving -o yaml` ; `lab up` ramène celle qui manque",
        ),
    ),
    "Missing": Reason(
        Text(en="the controller's route is not there", fr="la route du contrôleur n'est pas là"),
        Text(en="`lab up` brings it back", fr="`lab up` la ramène"),
    ),
    "NoRegistry": Reason(
        Text(en="the controller cannot ask MLflow", fr="le contrôleur ne peut pas interroger MLflow"),
        Text(en="`lab status` shows whether MLflow stands", fr="`lab status` montre si MLflow est debout"),
    ),
}
"""Every kind that the controller names without words of its own in French."""
UNKNOWN = Reason(
    Text(en="the release controller refuses", fr="le contrôleur de livraisons refuse"),
    Text(
        en="read `lab kubectl logs -n lab-04 deploy/releases`", fr="lisez `lab kubectl logs -n lab-04 deploy/releases`"
    ),
)
