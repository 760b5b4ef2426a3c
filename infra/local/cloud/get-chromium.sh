#!/bin/sh
# Gets the browser of the console's tests: installs it where this is Debian and root, else says in one line what
# is missing.
set -u

for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing Chromium for the tests of the console (apt-get)'
    apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes \
            --no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0
fi
echo 'make: the tests of the console need Chromium (on Debian: apt-get install chromium fonts-dejavu-core)' >&2
exit 1
