#!/bin/sh
# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The package of the guest agent, in a guest that has no network: package.sh status|install|remove FOLDER
#
# FOLDER holds kvmmanager-agent.deb or kvmmanager-agent.rpm. The status is "current" when that very version is
# installed, "absent" when there is nothing of the agent, and else "other". The role guest_agent runs this, and at a
# VM's first boot the vendor data of the role cloud_vm.
set -eu

name=kvmmanager-agent
action=$1
folder=$2

# Other package managers may work at the same time, at the first boot above all: apt waits for them, and rpm does. No
# hook of apt may restart the agent, since this may be one of its commands.
apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get --yes --quiet --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@" </dev/null
}

debian_status() {
    dpkg-query --show --showformat '${db:Status-Status} ${Version}' "$name" 2>/dev/null | grep -v '^not-installed' || :
}

debian_offer() {
    echo "installed $(dpkg-deb --field "$folder/$name.deb" Version)"
}

debian_install() {
    apt --reinstall --allow-downgrades install "$folder/$name.deb"
}

debian_remove() {
    apt purge "$name"
}

redhat_status() {
    rpm --query --queryformat 'installed %{VERSION}-%{RELEASE}' "$name" 2>/dev/null | grep '^installed' || :
}

redhat_offer() {
    rpm --query --queryformat 'installed %{VERSION}-%{RELEASE}' --package "$folder/$name.rpm" 2>/dev/null
}

redhat_install() {
    rpm --upgrade --oldpackage --replacepkgs "$folder/$name.rpm" </dev/null
}

redhat_remove() {
    rpm --erase "$name" </dev/null
}

status() {
    installed=$("${family}_status")
    if [ -z "$installed" ] && [ ! -e "$folder" ]; then
        echo absent
    elif [ -e "$folder/$name.$suffix" ] && [ "$installed" = "$("${family}_offer")" ]; then
        echo current
    else
        echo other
    fi
}

remove() {
    rm -rf "$folder" # first: what follows may end the connection
    if [ -n "$("${family}_status")" ]; then
        "${family}_remove"
    fi
    rm -f /etc/$name.json /etc/$name.json.rpmsave /etc/$name.json.rpmnew
}

if command -v dpkg >/dev/null 2>&1; then
    family=debian suffix=deb
else
    family=redhat suffix=rpm
fi
case $action in
    status | remove) "$action" ;;
    install) "${family}_install" ;;
    *) echo "package.sh: unknown action $action" >&2 && exit 2 ;;
esac
