"""reports - `penstock report` over stores that are always the same.

The stores are filled by tests/lib/report_fill.c.  What comes out must be what
stands in tests/golden/report/; tests/golden/renew writes it anew, after which
a person looks at the difference.
"""

import os
import shutil
import subprocess
import tempfile

import proc

GOLDEN = os.path.join(proc.ROOT, "tests/golden/report")
POLICY = '''
pool "b2b" {
	address "192.0.2.10" { transport = "b2b1" }
	address "192.0.2.11" { transport = "b2b2" }
}
pool "relay" { address "198.51.100.7" { transport = "relay1" } }
group "agency7" { contact = "ops@agency7.example" }
tenant "acme" { group = "agency7"  logins = {"acme"}  value = 1200
	domains = {"acme.example", "*.acme.example"} }
tenant "globex" { group = "agency7"  logins = {"globex"}  value = 900
	domains = {"globex.example"} }
tenant "initech" { logins = {"initech"}  domains = {"initech.example"}
	value = 2500 }
'''
# What is compared byte by byte: a file, how it is asked for, and where.
SHOWN = {
    "80.txt": ([], {"COLUMNS": "80", "LANG": "C.UTF-8"}),
    "120.txt": ([], {"COLUMNS": "120", "LANG": "C.UTF-8"}),
    "ascii.txt": ([], {"COLUMNS": "80", "LANG": "C"}),
    "tenant.txt": (["--tenant", "globex"],
                   {"COLUMNS": "80", "LANG": "C.UTF-8"}),
    "overview.txt": (["--overview"], {"COLUMNS": "80", "LANG": "C.UTF-8"}),
    "report.json": (["--json"], {}),
    "report.html": (["--html", "-"], {}),
    "report.csv": (["--csv"], {}),
}


class Stores:
    """A folder with stores; fill=None: none."""

    def __init__(self, fill=()):
        self.folder = tempfile.mkdtemp(prefix="penstock-")
        if fill is not None:
            subprocess.run([f"{proc.BUILD}/fill/report", self.folder, *fill],
                           check=True)
        with open(f"{self.folder}/policy.conf", "w") as f:
            f.write(POLICY)
        self.conf = f"{self.folder}/penstock.conf"
        with open(self.conf, "w") as f:
            f.write(f'store = "{self.folder}"\n'
                    f'policy = "{self.folder}/policy.conf"\n'
                    f'snapshot {{ google_credentials = '
                    f'"{self.folder}/google.json" }}\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, **environment):
        clean = {k: v for k, v in os.environ.items()
                 if k not in ("COLUMNS", "LANG", "LC_ALL", "LC_CTYPE",
                              "NO_COLOR")}
        return subprocess.run(
            [f"{proc.BUILD}/penstock", "-c", self.conf, "report",
             *arguments], capture_output=True, env={**clean, **environment})

    def shown(self, name):
        arguments, environment = SHOWN[name]
        said = self.run(*arguments, **environment)
        assert said.returncode == 0, said.stderr
        return said.stdout
