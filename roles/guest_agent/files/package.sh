#!/bin/sh
# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The package of the guest agent, in a guest that has no network: package.sh status|install|remove FOLDER
#
# FOLDER holds kvmmanager-agent.deb or kvmmanager-agent.rpm. The status is three words:
#   deb, rpm or none        what packages this system has;
#   current, absent, other  the very version in FOLDER is installed, there is nothing of the agent, or anything else;
#   servable or waiting     whether the port is there and systemd, which runs the agent.
# The role guest_agent runs this, and at a VM's first boot the vendor data of the role cloud_vm.
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

deb_status() {
    dpkg-query --show --showformat '${db:Status-Status} ${Version}' "$name" 2>/dev/null | grep -v '^not-installed' || :
}

deb_offer() {
    echo "installed $(dpkg-deb --field "$folder/$name.deb" Version)"
}

deb_install() {
    apt --reinstall --allow-downgrades install "$folder/$name.deb"
}

deb_remove() {
    apt purge "$name"
}

rpm_status() {
    rpm --query --queryformat 'installed %{VERSION}-%{RELEASE}' "$name" 2>/dev/null | grep '^installed' || :
}

rpm_offer() {
    rpm --query --queryformat 'installed %{VERSION}-%{RELEASE}' --package "$folder/$name.rpm" 2>/dev/null
}

rpm_install() {
    rpm --upgrade --oldpackage --replacepkgs "$folder/$name.rpm" </dev/null
}

rpm_remove() {
    rpm --erase "$name" </dev/null
}

none_status() {
    :
}

installation() {
    installed=$("${kind}_status")
    if [ -z "$installed" ] && [ ! -e "$folder" ]; then
        echo absent
    elif [ -e "$folder/$name.$kind" ] && [ "$installed" = "$("${kind}_offer")" ]; then
        echo current
    else
        echo other
    fi
}

service() {
    if [ -d /run/systemd/system ] && [ -e /dev/virtio-ports/org.kvmmanager.agent.0 ]; then
        echo servable
    else
        echo waiting
    fi
}

status() {
    echo "$kind $(installation) $(service)"
}

remove() {
    rm -rf "$folder" # first: what follows may end the connection
    if [ -n "$("${kind}_status")" ]; then
        "${kind}_remove"
    fi
    rm -f /etc/$name.json /etc/$name.json.rpmsave /etc/$name.json.rpmnew
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# What the system calls itself, and what it is like: os-release(5) is a piece of shell.
names() {
    # shellcheck source=/dev/null
    if [ -r /etc/os-release ]; then
        . /etc/os-release
    elif [ -r /usr/lib/os-release ]; then
        . /usr/lib/os-release
    fi
    echo "${ID-} ${ID_LIKE-}"
}

# Fedora has a package of dpkg and Debian one of rpm, so that a program says nothing where the system does.
packages() {
    for system in $(set +u && names); do
        case $system in
            debian | ubuntu) has dpkg && echo deb && return ;;
            fedora | rhel | centos | suse | opensuse) has rpm && echo rpm && return ;;
        esac
    done
    if has dpkg; then
        echo deb
    elif has rpm; then
        echo rpm
    else
        echo none
    fi
}

kind=$(packages)
case $action in
    status | remove) "$action" ;;
    install) "${kind}_install" ;;
    *) echo "package.sh: unknown action $action" >&2 && exit 2 ;;
esac
