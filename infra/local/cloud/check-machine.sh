#!/bin/sh
# Says in one line what this machine lacks, before anything is installed or compiled. With --local-cloud also
# what only the local cloud needs; with --aws=ENV what a deployment of that section of samconfig.toml needs; with
# --quick without the version of Rust, for which a rustup may have to fetch a toolchain.
set -u
cd "$(dirname "$0")/../../.."

fail() {
    echo "make: $1" >&2
    exit 1
}

# The functions run here as they run on Lambda: as Linux programs, without a virtual machine in between.
check_system() {
    system=$(uname -s)
    machine=$(uname -m)
    [ "$system" = Linux ] ||
        fail "the local cloud needs Linux, and this is $system; with Docker, this opens a shell where it runs: $in_container"
    case $machine in
    x86_64 | amd64 | aarch64 | arm64) ;;
    *) fail "Lambda has no architecture $machine, so the functions cannot run here; x86_64 and aarch64 can" ;;
    esac
}
# For a shell to expand, on the machine that has Docker.
in_container='docker build -t billhook .devcontainer && docker run --rm -it -v "$PWD:/billhook" billhook'

tools="cargo rustc python3 cc"
quick=
env=
for option in "$@"; do
    case $option in
    --local-cloud)
        check_system
        tools="$tools ps"
        ;;
    --quick) quick=yes ;;
    --aws=*) env=${option#--aws=} ;;
    *) fail "check-machine.sh has no option $option" ;;
    esac
done

missing=
for tool in $tools; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    fail "missing on this machine:$missing (Rust: rustup; on Debian: apt-get install python3-venv gcc procps)"
fi

# Both reasons that `python3 -m venv` fails for; Debian ships ensurepip in a package of its own.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python3 is older than 3.11"
python3 -c 'import ensurepip, venv' 2>/dev/null || fail "python3 has no venv (on Debian: apt-get install python3-venv)"

[ -z "$quick" ] || exit 0
# A rustup fetches the toolchain of rust-toolchain.toml by itself; a cargo of the system's has to be new
# enough.
needed=$(sed -n 's/^rust-version = "1\.\([0-9]*\)"/\1/p' Cargo.toml)
version=$(rustc --version) || fail "rustc does not start; rustup fetches the version of rust-toolchain.toml, which needs network"
minor=$(echo "$version" | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt "$needed" ]; then
    fail "Rust 1.$needed or newer is needed, and this is $version"
fi

[ -n "$env" ] || exit 0
grep -q "^\[$env\.deploy\.parameters\]" samconfig.toml ||
    fail "samconfig.toml has no section for ENV=$env; copy those of test"
architecture=$(sed -n "/^\[$env\.global\.parameters\]/,/^\[.*deploy/s/^parameter_overrides.*Architecture=\([a-z0-9_]*\).*/\1/p" samconfig.toml)
# The template's default is arm64.
case ${architecture:-arm64} in
x86_64) target=x86_64-unknown-linux-gnu ;;
*) target=aarch64-unknown-linux-gnu ;;
esac
[ -d "$(rustc --print target-libdir --target $target)" ] ||
    fail "Rust cannot build for ${architecture:-arm64} yet: rustup target add $target"
