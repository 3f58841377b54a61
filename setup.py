"""The packages of the wheel. Everything else that the build needs to know is in pyproject.toml.

The folders have plain names, and what is installed must not: nobody wants a package called ``deploy`` in their
environment. So each folder gets a name of ours here, in the wheel and in a checkout alike.
"""

from setuptools import find_packages, setup

FOLDERS = {"flatline": "streams", "flatline_connectors": "connectors", "flatline_deploy": "deploy"}
# The demo runs in a checkout: it needs what `make setup` gets.
LEFT_OUT = ("demo", "demo.*")

setup(
    package_dir=FOLDERS,
    packages=[
        package
        for name, folder in FOLDERS.items()
        for package in (name, *(f"{name}.{inner}" for inner in find_packages(folder, exclude=LEFT_OUT)))
    ],
)
