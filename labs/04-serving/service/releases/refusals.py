"""Orders that do not fit what is under way: why, and what can be done, in both languages."""

from releases.errors import NotNow
from releases.state import Phase, State
from releases.words import Words

_PHASES = {
    Phase.RUNNING: Words("under way", "en cours"),
    Phase.PAUSED: Words("paused for want of metrics", "en pause faute de métriques"),
    Phase.PROMOTING: Words("being promoted", "en promotion"),
}


def open_(state: State | None) -> State:
    """The release, if its verdict is still open.

    Raises:
        NotNow: there is none, it has ended, or it is being promoted.
    """
    if state is None or state.over:
        nothing = Words("no release is under way", "aucune livraison n'est en cours")
        raise NotNow(nothing, Words("start one: `lab release start`", "commencez-en une : `lab release start`"))
    if state.phase is Phase.PROMOTING:
        alias = state.plan.alias
        back = Words(
            f"to go back, release the version that {alias} named until now",
            f"pour revenir en arrière, livrez la version que {alias} nommait jusqu'ici",
        )
        raise NotNow(_told(state, _PHASES[state.phase]), back)
    return state


def busy(state: State) -> NotNow:
    """Another release cannot begin."""
    return NotNow(
        _told(state, _PHASES[state.phase]),
        Words(
            "wait for its end, or take it back: `lab release back`",
            "attendez sa fin, ou annulez-la : `lab release back`",
        ),
    )


def compared(state: State) -> NotNow:
    """A blue-green release cannot be paused."""
    return NotNow(
        _told(
            state,
            Words(
                "blue-green, and compared with what was recorded just before",
                "bleu-vert, et comparée à ce qui a été enregistré juste avant",
            ),
        ),
        Words(
            "take it back (`lab release back`) or let it end: a pause would leave nothing to compare with",
            "annulez-la (`lab release back`) ou laissez-la finir : une pause ne laisserait rien à quoi la comparer",
        ),
    )


def unpaused(state: State) -> NotNow:
    """There is nothing to resume."""
    return NotNow(
        _told(state, Words("not paused by anybody", "suspendue par personne")),
        Words(
            "there is nothing to resume; `lab release status` shows where it is",
            "il n'y a rien à reprendre ; `lab release status` montre où elle en est",
        ),
    )


def _told(state: State, how: Words) -> Words:
    model, version = state.plan.model, state.plan.version
    return Words(
        f"the release of {model} version {version} is {how.en}",
        f"la livraison de {model} version {version} est {how.fr}",
    )
