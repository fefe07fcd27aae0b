# After the removal: end the agent that still runs, when its host is done. Perhaps this is one of its commands.
if [ -d /run/systemd/system ]; then
    # From here on systemd has no unit that it could start again.
    systemctl daemon-reload || :
    udevadm control --reload || :
    agent=$(systemctl show --property=MainPID --value kvmmanager-agent.service) || agent=0
    if [ "${agent:-0}" -gt 0 ]; then
        kill -s USR1 "$agent" || :
    fi
fi
