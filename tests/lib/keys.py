"""keys - private keys under every name that a policy uses.

Made once for each kind and copied: what they are is not what is tested.
"""

import os
import re
import shutil

import gate


def named(*folders):
    """{file name: kind} of all key lines below the folders."""
    found = {}
    for folder in folders:
        for path, _, files in os.walk(folder):
            for name in files:
                if not name.endswith(".conf"):
                    continue
                with open(os.path.join(path, name)) as f:
                    text = re.sub(r"#.*", "", f.read())
                for key in re.findall(r'\bkey\s*=\s*"([^"]+)"', text):
                    found[key] = "ed" if key.endswith(".ed") else "rsa"
    return found


def make(folder, names):
    """Writes them; names as of named()."""
    os.makedirs(folder, exist_ok=True)
    for kind in ("rsa", "ed"):
        gate.make_key(f"{folder}/.{kind}", kind)
    for name, kind in names.items():
        shutil.copy(f"{folder}/.{kind}", f"{folder}/{name}")
        os.chmod(f"{folder}/{name}", 0o600)
