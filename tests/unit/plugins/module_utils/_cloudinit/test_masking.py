# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import masking
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._masking import address_secrets, mask_address

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"

USER_DATA: dict[str, Any] = {
    "hostname": "web1",
    "ssh_pwauth": True,
    "password": "hunter2",
    "chpasswd": {"expire": False, "users": [{"name": "a", "password": "hunter3", "type": "text"}]},
    "users": [{"name": "a", "lock_passwd": False, "hashed_passwd": "$6$x", "ssh_authorized_keys": ["k"]}],
    "ssh_keys": {"rsa_private": KEY, "rsa_public": "ssh-rsa A"},
    "write_files": [
        {"path": "/etc/token", "permissions": "0600", "content": "hunter4"},
        {"path": "/etc/motd", "permissions": "0644", "content": "hello"},
        {"path": "/root/key", "content": KEY},
    ],
    "runcmd": ["curl https://joe:hunter5@example.com/x"],
    "ubuntu_advantage": {"token": "hunter6", "enable": ["esm"]},
    "tailscale": {"authkey": "hunter7"},
}


def test_secrets_are_hidden_and_the_rest_stays() -> None:
    shown = masking.mask(USER_DATA)
    assert "hunter" not in str(shown)
    assert "PRIVATE KEY" not in str(shown)
    assert "$6$x" not in str(shown)
    assert shown["hostname"] == "web1"
    assert shown["ssh_pwauth"] is True
    assert shown["chpasswd"]["expire"] is False
    assert shown["chpasswd"]["users"][0]["name"] == "a"
    assert shown["users"][0]["lock_passwd"] is False
    assert shown["users"][0]["ssh_authorized_keys"] == ["k"]
    assert shown["ssh_keys"]["rsa_public"] == "ssh-rsa A"
    assert shown["write_files"][1]["content"] == "hello"
    assert shown["runcmd"] == ["curl https://joe:********@example.com/x"]


@pytest.mark.parametrize("entries", ["a:hunter2\nb:hunter3", ["a:hunter2"]])
def test_chpasswd_list_is_hidden(entries: Any) -> None:
    assert "hunter" not in str(masking.mask({"chpasswd": {"list": entries}}))
    assert "hunter" not in str(masking.mask({"chpasswd": {"expire": True, "list": entries}}))


def test_wifi_passwords_of_a_network_config_are_hidden() -> None:
    wifi = {"wifis": {"w": {"access-points": {"home": {"password": "hunter2", "mode": "infrastructure"}}}}}
    assert masking.mask(wifi)["wifis"]["w"]["access-points"]["home"] == {
        "password": masking.HIDDEN,
        "mode": "infrastructure",
    }


def test_a_changed_secret_says_that_it_changed() -> None:
    assert masking.mask({"password": "b"}, {"password": "a"}) == {"password": masking.HIDDEN_CHANGED}
    assert masking.mask({"password": "a"}, {"password": "a"}) == {"password": masking.HIDDEN}
    assert masking.mask({"password": "a"}, {}) == {"password": masking.HIDDEN}


def test_secrets_are_found_for_the_log() -> None:
    found = set(masking.secrets(USER_DATA))
    assert {text.strip(":@") for text in found} == {
        *("hunter2", "hunter3", "$6$x", KEY, "hunter4", "hunter5", "hunter6", "hunter7")
    }


@pytest.mark.parametrize("permissions", [0o600, 0o400, 600, 400, "600", " 0600", "0o600", 0])
def test_the_mode_of_an_owner_only_file_may_be_a_number(permissions: Any) -> None:
    files = {"write_files": [{"path": "/k", "permissions": permissions, "content": "hunter2"}]}
    assert "hunter2" not in str(masking.mask(files))
    assert set(masking.secrets(files)) == {"hunter2"}


@pytest.mark.parametrize("permissions", [0o644, 0o640, "0644", None, True])
def test_what_others_may_read_is_shown(permissions: Any) -> None:
    files = {"write_files": [{"path": "/k", "permissions": permissions, "content": "hello"}]}
    assert masking.mask(files) == files


@pytest.mark.parametrize(
    "data",
    [
        {"wireguard": {"interfaces": [{"name": "wg0", "content": "[Interface]\nPrivateKey = hunter2\n"}]}},
        {"wireguard": {"interfaces": [{"name": "wg0", "content": "[Peer]\nPresharedKey=hunter2\nAllowedIPs=::/0"}]}},
        {"tunnels": {"wg0": {"mode": "wireguard", "key": "hunter2"}}},
        {"tunnels": {"wg0": {"key": {"private": "hunter2"}, "peers": [{"keys": {"shared": "hunter2"}}]}}},
        {"chef": {"validation_cert": "hunter2"}},
        {"chef": {"validation_key": "hunter2"}},
        {"landscape": {"client": {"registration_key": "hunter2"}}},
        {"rh_subscription": {"activation-key": "hunter2"}},
        {"mounts": [["//srv/x", "/m", "cifs", "username=a,password=hunter2,ro"]]},
        {"mounts": [["//srv/x", "/m", "cifs", "pass=hunter2"]]},
        {"runcmd": ["mysql --password='hunter2' x"]},
    ],
)
def test_secrets_of_other_modules_are_hidden(data: dict[str, Any]) -> None:
    assert "hunter2" not in str(masking.mask(data))
    found = {*masking.secrets(data)}
    assert found
    assert all("hunter2" in text for text in found)


def test_a_secret_that_is_an_everyday_word_hides_no_other_place_where_it_is() -> None:
    """What is found is taken out of all that a module returns, also out of the path of a VM called web."""
    found = {*masking.secrets({"runcmd": ["mount -o password=web //nas/s /m", "get http://me:1@host/"]})}
    assert found == {"password=web", ":1@"}


@pytest.mark.parametrize("text", ["PasswordAuthentication=no", "EnablePassword=no", "bypass=1", "PublicKey = abc"])
def test_what_only_looks_like_a_secret_is_shown(text: str) -> None:
    assert masking.mask({"runcmd": [text]}) == {"runcmd": [text]}
    assert not set(masking.secrets({"runcmd": [text]}))


def test_passwords_of_addresses_are_found_with_the_signs_around_them() -> None:
    text = "http://bob:debian@host/debian.img"
    assert mask_address(text) == "http://bob:********@host/debian.img"
    assert list(address_secrets(text)) == [":debian@"]
    assert mask_address("http://bob:hunt@er2@host/x") == "http://bob:********@host/x"
    assert mask_address("http://host/a:b@c") == "http://host/a:b@c"
