#!/bin/sh
# Makes the virtual environment: uv by pip with hashes, then everything else by uv with hashes.
# Usage: platform/bootstrap.sh lab|test   (what the environment is for)
set -eu
cd "$(dirname "$0")/.."
want=${1:-lab}
case $want in lab) lock=requirements/lab.txt ;; test) lock=requirements/tools.txt ;; *) echo "usage: $0 lab|test" >&2; exit 2 ;; esac

say() { # english, french
    case "${LAB_LANG:-${LC_ALL:-${LANG:-en}}}" in fr*) echo "$2" >&2 ;; *) echo "$1" >&2 ;; esac
}

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3.12" \
        "Il faut Python 3.11 ou plus récent : installez-le, ou nommez-le : make PYTHON=/chemin/python3.12"
    exit 3
fi

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing python3-venv from the distribution." "Installation de python3-venv depuis la distribution."
        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            -o DPkg::Lock::Timeout=300 \
            python3-venv ca-certificates) >/dev/null
    else
        say "Python's venv module is missing: install python3-venv, then run again." \
            "Le module venv de Python manque : installez python3-venv, puis relancez."
        exit 3
    fi
fi

stamp=.venv/.made-for-$(cat requirements/uv.txt "$lock" pyproject.toml | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit 0
say "Making the Python environment in .venv." "Création de l'environnement Python dans .venv."
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
.venv/bin/uv pip install --quiet --native-tls --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock"
# A path file instead of an editable install: nothing to build, and the checkout stays the single source.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD/platform" >"$site/tarmac.pth"
cat >.venv/bin/lab <<SCRIPT
#!/bin/sh
exec "$PWD/.venv/bin/python" -m lab "\$@"
SCRIPT
chmod +x .venv/bin/lab
touch "$stamp"
