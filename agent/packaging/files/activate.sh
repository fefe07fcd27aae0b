# After an installation or upgrade: serve the port, if it is there already. Without systemd, as in an image that is being
# built, there is nothing to do: udev starts the agent at boot.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    udevadm control --reload || :
    udevadm trigger --action=change --subsystem-match=virtio-ports || :
    if systemctl --quiet is-active kvmmanager-agent.service; then
        # Perhaps this runs as a command of that very agent, which must not be stopped now. USR1 asks it to end when its
        # host is done; systemd then starts the one that is installed now.
        systemctl kill --kill-who=main --signal=USR1 kvmmanager-agent.service || :
    elif [ -e /dev/virtio-ports/org.kvmmanager.agent.0 ]; then
        systemctl start --no-block kvmmanager-agent.service || :
    fi
fi
