"""WebDAV servers: Apache, nginx, wsgidav, and rclone as a weak one. Each takes a password."""

import base64
import hashlib
import json
import os
import pwd
import shutil
import sysconfig
from pathlib import Path

from tests.servers.process import HOST, ServerProcess, free_port

USER = "somebody"
PASSWORD = "canary-4c81-webdav"
_MODULES = Path("/usr/lib/apache2/modules")
_NGINX_DAV = "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"


class WebDavServer:
    """A server over `files` below `place`. `start` it, and `stop` it."""

    scheme = "webdav"

    def __init__(self, place: Path, password: str = PASSWORD) -> None:
        self.place = place
        self.password = password
        self.files = place / "files"
        self.files.mkdir()
        self.port = free_port()
        env = {"HOME": str(place), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self._server = ServerProcess(self.command(), self.port, place / "log", env)

    def command(self) -> list[str]:
        """What starts it in the foreground."""
        raise NotImplementedError

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def location(self, path: str, port: int | None = None) -> str:
        """Of a store on it; `port`: of a relay before it."""
        return f"{self.scheme}://{USER}@{HOST}:{port or self.port}/{path}"


class Apache(WebDavServer):
    """`mod_dav`, with Digest or with Basic."""

    auth = "digest"
    realm = "files"

    def command(self) -> list[str]:
        own = self._own_files()
        config = self.place / "httpd.conf"
        config.write_text(f"{self._modules()}{self._basics()}{self._access(own)}")
        return ["/usr/sbin/apache2", "-d", str(self.place), "-f", str(config), "-DFOREGROUND"]

    def _own_files(self) -> Path:
        passwords = self.place / "passwords"
        text = f"{USER}:{self.realm}:{self.password}".encode()
        if self.auth == "digest":
            hashed = hashlib.md5(text, usedforsecurity=False).hexdigest()
            passwords.write_text(f"{USER}:{self.realm}:{hashed}\n")
        else:
            passwords.write_text(f"{USER}:{_sha(self.password)}\n")
        return passwords

    def _modules(self) -> str:
        names = [
            "mpm_event",
            "authn_core",
            "authn_file",
            "authz_core",
            "authz_user",
            "mime",
            "dav",
            "dav_fs",
        ]
        return "".join(
            f"LoadModule {name}_module {_MODULES}/mod_{name}.so\n"
            for name in [*names, f"auth_{self.auth}", "mime", "dav", "dav_fs"]
        )

    def _basics(self) -> str:
        place = self.place
        user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            user = "www-data"
            _hand_over(place, user)
        return (
            f"ServerName localhost\nListen {HOST}:{self.port}\nUser {user}\n"
            f"PidFile {place}/pid\nErrorLog {place}/log\nDocumentRoot {self.files}\n"
            f"DavLockDB {place}/locks/db\nTypesConfig /etc/mime.types\nMaxKeepAliveRequests 0\n"
            "KeepAliveTimeout 30\nLogLevel crit\n"
        )

    def _access(self, passwords: Path) -> str:
        kind = self.auth.capitalize()
        return (
            f"<Directory {self.files}>\nDav On\nAuthType {kind}\nAuthName {self.realm}\n"
            f"AuthUserFile {passwords}\nRequire valid-user\n</Directory>\n"
        )


def _sha(password: str) -> str:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode()


def _hand_over(place: Path, user: str) -> None:
    """Servers that are started by root do not work as root."""
    (place / "locks").mkdir(exist_ok=True)
    for each in (place / "files", place / "locks"):
        shutil.chown(each, user)
    above = place
    while above != above.parent and str(above) != "/tmp":
        if above.owner() == "root":
            above.chmod(above.stat().st_mode | 0o011)
        above = above.parent


class Nginx(WebDavServer):
    """With dav-ext; Basic."""

    def command(self) -> list[str]:
        place = self.place
        (place / "passwords").write_text(f"{USER}:{_sha(self.password)}\n")
        temporary = "".join(
            f"{kind}_temp_path {place}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        config = place / "nginx.conf"
        config.write_text(
            f"{user}load_module {_NGINX_DAV};\npid {place}/pid;\nerror_log {place}/log crit;\n"
            "worker_processes 1;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\n"
            f"{temporary}client_max_body_size 0;\nserver {{\nlisten {HOST}:{self.port};\n"
            f"keepalive_requests 100000;\nlocation / {{\nroot {self.files};\n"
            "dav_methods PUT DELETE MKCOL COPY MOVE;\ndav_ext_methods PROPFIND OPTIONS;\n"
            f"auth_basic files;\nauth_basic_user_file {place}/passwords;\n}}\n}}\n}}\n"
        )
        return ["/usr/sbin/nginx", "-c", str(config), "-g", "daemon off;"]


class WsgiDav(WebDavServer):
    """wsgidav over cheroot; Digest and Basic."""

    def command(self) -> list[str]:
        config = self.place / "wsgidav.json"
        config.write_text(
            json.dumps(
                {
                    "host": HOST,
                    "port": self.port,
                    "provider_mapping": {"/": str(self.files)},
                    "simple_dc": {"user_mapping": {"*": {USER: {"password": self.password}}}},
                    "http_authenticator": {
                        "accept_basic": True,
                        "accept_digest": False,
                        "default_to_digest": False,
                    },
                    "verbose": 0,
                    "logging": {"enable": False},
                }
            )
        )
        return [_script("wsgidav"), "--config", str(config), "--quiet"]


class RcloneWebDav(WebDavServer):
    """`rclone serve webdav`: hardly anything is exclusive there."""

    def command(self) -> list[str]:
        return [
            *(_script("rclone"), "serve", "webdav", str(self.files)),
            *("--addr", f"{HOST}:{self.port}", "--user", USER, "--pass", self.password),
            *("--config", "/dev/null", "--cache-dir", str(self.place / "cache")),
        ]


def _script(name: str) -> str:
    """A program that the development dependencies bring."""
    return str(Path(sysconfig.get_path("scripts")) / name)
