#!/bin/sh
# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Start a daemon in the background with a /dev of its own, which is this machine's less /dev/kvm.
#
#   unshare --mount --propagation=slave sh without_kvm.sh EMPTY_FOLDER PROGRAM
set -eu
fresh="$1"

mount -t tmpfs -o mode=0755,nosuid tmpfs "$fresh"
cp --archive --one-file-system /dev/. "$fresh"
rm "$fresh/kvm"
# Moved, not bound: libvirt takes every mount below /dev along to each VM, and stumbles over two of one name.
for inner in pts shm mqueue hugepages; do
    if mountpoint --quiet "/dev/$inner"; then
        mount --move "/dev/$inner" "$fresh/$inner"
    fi
done
umount --lazy /dev
mount --move "$fresh" /dev
exec "$2" --daemon
