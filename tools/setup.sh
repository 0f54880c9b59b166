#!/usr/bin/env bash
# Brings a bare machine (Python, git, Node, npm) to a working .venv and tools/node_modules; touches nothing else.
# Every finished step leaves a stamp that says what it was made from: a second run has nothing to do, and a run after
# a broken one repairs. Package index, registry, certificates and caches are those that pip and npm are configured for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VENV=.venv OPENCODE=tools/node_modules/opencode-ai LOG=.cache/setup.log
readonly UNFINISHED=$VENV/unfinished  # is there while packages are installed: what a kill leaves cannot be trusted
readonly MADE=$VENV/stamp-made PACKAGES=$VENV/stamp-packages PROJECT=$VENV/stamp-project
readonly TOOLS=tools/node_modules/.stamp

main() {
    one_at_a_time
    if ! everything_is_current; then
        require_programs
        mkdir -p .cache
        venv_is_current || step "Making $VENV" make_venv
        is_current $PACKAGES requirements.txt || step "Installing Python packages" install_packages
        is_current $PROJECT pyproject.toml || step "Installing this project in place" install_project
        is_current $TOOLS tools/package-lock.json || step "Installing OpenCode" install_opencode
        rm -f "$LOG"
    fi
    echo "Set-up is complete: $VENV and tools/node_modules."
}

everything_is_current() {
    venv_is_current && is_current $PACKAGES requirements.txt && is_current $PROJECT pyproject.toml &&
        is_current $TOOLS tools/package-lock.json
}

# A stamp also says where it was made: a virtual environment does not survive being moved.
is_current() { [ -f "$1" ] && [ "$(cat "$1")" = "$(fingerprint "$2")" ]; }
stamp() { fingerprint "$2" >"$1"; }
fingerprint() { echo "$(cksum <"$1") $PWD $(uname -sm)"; }

venv_is_current() {
    [ -f $MADE ] && [ ! -e $UNFINISHED ] && [ "$(cat $MADE)" = "$PWD" ] && "$VENV/bin/python" -c "" 2>/dev/null
}

# --- what must be there ---------------------------------------------------------------------------------------------

require_programs() {
    local missing=""
    find_python || missing+=$'\n'"  Python 3.11 or newer (found: $(found_pythons)); name one with: make setup PYTHON=…"
    if [ -n "$python" ] && ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
        missing+=$'\n'"  venv for $python (on Debian and Ubuntu: apt install python3-venv)"
    fi
    git --version >/dev/null 2>&1 || missing+=$'\n'"  git 2.25 or newer: https://git-scm.com/downloads"
    node --version >/dev/null 2>&1 || missing+=$'\n'"  Node 18 or newer: https://nodejs.org"
    npm --version >/dev/null 2>&1 || missing+=$'\n'"  npm 8 or newer; it comes with Node"
    [ -z "$missing" ] || fail "Set-up needs what is not here:$missing"
}

python=""
find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if "$name" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            python=$name
            return
        fi
    done
    return 1
}

found_pythons() {
    local name found=""
    for name in ${PYTHON:-python3}; do
        found+="${found:+, }$("$name" --version 2>/dev/null || true)"
    done
    echo "${found:-none}"
}

# --- the steps ------------------------------------------------------------------------------------------------------

make_venv() {
    usable_venv || "$python" -m venv --clear $VENV
    echo "$PWD" >$MADE
}

# Its scripts name the folder they were made in: after a move they start another Python, or none.
usable_venv() {
    [ ! -e $UNFINISHED ] && grep -qF "$PWD/$VENV/bin/python" "$VENV/bin/pip" &&
        "$VENV/bin/python" -c "import pip, sys; sys.exit(sys.version_info < (3, 11))"
}

install_packages() {
    touch $UNFINISHED
    "$VENV/bin/python" -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.txt
    rm $UNFINISHED
    stamp $PACKAGES requirements.txt
}

install_project() {
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
    stamp $PROJECT pyproject.toml
}

# The package's install script puts the platform's program in place. Newer npm releases do not run it unasked, older
# ones do: run by us, it is the same with all of them.
install_opencode() {
    (cd tools && npm ci --ignore-scripts --no-audit --no-fund)
    (cd $OPENCODE && node postinstall.mjs)
    local wanted found
    wanted=$(node -p "require('./tools/package.json').dependencies['opencode-ai']")
    found=$(opencode_version)
    if [ "$found" != "$wanted" ]; then
        echo "OpenCode says its version is '$found', $wanted was to be installed."
        return 1
    fi
    stamp $TOOLS tools/package-lock.json
}

# Even asked for its version, OpenCode makes folders in the user's home.
opencode_version() {
    local home
    home=$(mktemp -d)
    env -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_CACHE_HOME -u XDG_STATE_HOME HOME="$home" \
        tools/node_modules/.bin/opencode --version || true
    rm -rf "$home"
}

# --- how it is shown ------------------------------------------------------------------------------------------------

# Runs a step with its output in the log; shows the seconds while it runs, and the log's end if it fails.
step() {
    local title=$1 started=$SECONDS status=0
    printf "%s …" "$title"
    (set -e; "$2") >"$LOG" 2>&1 </dev/null &
    child=$!
    while [ -t 1 ] && kill -0 $child 2>/dev/null; do
        printf "\r%s … %d s" "$title" $((SECONDS - started))
        sleep 0.2
    done
    wait $child || status=$?
    child=""
    if [ $status -ne 0 ]; then
        printf "\n"
        both_ends "$LOG" | sed "s/^/  | /" >&2
        fail "$title failed. All of its output: $LOG. When the reason is gone, run it again: it goes on from here."
    fi
    [ -t 1 ] && printf "\r%s … %d s\n" "$title" $((SECONDS - started)) || printf " %d s\n" $((SECONDS - started))
}

# pip says what went wrong at the end, npm at the beginning.
both_ends() {
    if [ "$(wc -l <"$1")" -le 20 ]; then cat "$1"; else head -n 8 "$1" && echo "…" && tail -n 12 "$1"; fi
}

# Two at once (`make test` and `make demo`) would install over one another.
one_at_a_time() {
    exec 9<requirements.txt
    if command -v flock >/dev/null && ! flock --nonblock 9; then
        echo "Another set-up is running here: waiting for it …"
        flock 9
    fi
}

fail() {
    echo "✘ $1" >&2
    exit 1
}

child=""
interrupted() {
    trap "" INT TERM
    [ -z "$child" ] || end_with_children "$child"
    printf "\nSet-up was interrupted; run it again to finish it.\n" >&2
    exit 130
}

# A job in the background ignores Ctrl-C, and so do the programs it runs.
end_with_children() {
    local one
    for one in $(ps -A -o pid= -o ppid= | awk -v of="$1" '$2 == of { print $1 }'); do
        end_with_children "$one"
    done
    kill "$1" 2>/dev/null || true
}
trap interrupted INT TERM

main
