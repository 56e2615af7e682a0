"""Programs that make a call of the API, in six languages: complete, and safe to copy.

Any text may stand in a call. What would end a literal, or cannot be seen, is escaped as the
language has it, so a program sends exactly what the page shows.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from swaps.api.schemas import DEFAULT_TIMEOUT

PLACEHOLDER = "fs_..."  # plain ASCII: a program that is run as it stands is told what is wrong
MARGIN_SECONDS = 10  # the server answers before a client gives up
QUICK_SECONDS = 30
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Sample:
    id: str
    language: str
    run: str
    code: str


@dataclass(frozen=True, kw_only=True)
class _Call:
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        """How long a client has to be patient."""
        if any(self.body.get(name) for name in ("callback_url", "async", "action")):
            return QUICK_SECONDS
        return float(self.body.get("timeout", DEFAULT_TIMEOUT)) + MARGIN_SECONDS


def samples(
    base_url: str, path: str, body: Mapping[str, Any], key: str, *, idempotency_key: str = ""
) -> list[Sample]:
    """``body`` is flat: texts, numbers, booleans, and lists of them."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    call = _Call(url=f"{base_url}{path}", headers=headers, body=body)
    return [
        Sample(id="curl", language="cURL", run="Paste it into a shell", code=_curl(call)),
        Sample(id="python", language="Python", run="pip install requests", code=_python(call)),
        Sample(id="javascript", language="JavaScript", run="node swap.mjs", code=_script(call)),
        Sample(id="java", language="Java", run="java FaceSwap.java", code=_java(call)),
        Sample(id="go", language="Go", run="go run swap.go", code=_go(call)),
        Sample(id="php", language="PHP", run="php swap.php", code=_php(call)),
    ]


def json_text(body: Mapping[str, Any]) -> str:
    """Over several lines, for reading; what cannot be seen is escaped."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else _utf16(c) for c in text)


# --- the languages ---------------------------------------------------------------------------


def _curl(call: _Call) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("'", "'\\''") + "'"

    return " \\\n  ".join(
        (
            f"curl {quoted(call.url)}",
            *(f"-H {quoted(f'{name}: {value}')}" for name, value in call.headers.items()),
            f"-d {quoted(json_text(call.body))}",
        )
    )


def _python(call: _Call) -> str:
    text = _quoting(_utf32)
    return "\n".join(
        (
            "import requests",
            "",
            "response = requests.post(",
            f"    {text(call.url)},",
            "    headers={",
            *(f'        "{name}": {text(value)},' for name, value in _own_headers(call)),
            "    },",
            "    json={",
            *(
                f"        {text(name)}: {_literal(value, text, yes='True', no='False')},"
                for name, value in call.body.items()
            ),
            "    },",
            f"    timeout={call.seconds:g},",
            ")",
            "print(response.status_code)",
            "print(response.json())",
        )
    )


def _script(call: _Call) -> str:
    def text(value: str) -> str:  # may stand in an HTML page: no end of a script in it
        return quote(value).replace("</", "<\\/")

    quote = _quoting(_in_braces)
    return "\n".join(
        (
            f"const response = await fetch({text(call.url)}, {{",
            '  method: "POST",',
            "  headers: {",
            *(f"    {_field(name, text)}: {text(value)}," for name, value in call.headers.items()),
            "  },",
            "  body: JSON.stringify({",
            *(
                f"    {_field(name, text)}: {_literal(value, text)},"
                for name, value in call.body.items()
            ),
            "  }),",
            "});",
            "console.log(response.status);",
            "console.log(await response.json());",
        )
    )


def _java(call: _Call) -> str:
    """ASCII alone, whatever the compiler takes for the encoding of the file.

    Control characters are octal: Java reads a Unicode escape of one as the end of a line.
    """
    text = _quoting(lambda c: f"\\{ord(c):03o}" if c.isascii() else _utf16(c), is_ascii=True)
    lines = [text(line) for line in json_text(call.body).splitlines()]
    return "\n".join(
        (
            "import java.net.URI;",
            "import java.net.http.HttpClient;",
            "import java.net.http.HttpRequest;",
            "import java.net.http.HttpResponse;",
            "",
            "public class FaceSwap {",
            "    public static void main(String[] args) throws Exception {",
            '        String body = String.join("\\n",',
            *(f"            {line}," for line in lines[:-1]),
            f"            {lines[-1]});",
            "        HttpRequest request = HttpRequest.newBuilder()",
            f"            .uri(URI.create({text(call.url)}))",
            *(
                f"            .header({text(name)}, {text(value)})"
                for name, value in call.headers.items()
            ),
            "            .POST(HttpRequest.BodyPublishers.ofString(body))",
            "            .build();",
            "        HttpResponse<String> response = HttpClient.newHttpClient()",
            "            .send(request, HttpResponse.BodyHandlers.ofString());",
            "        System.out.println(response.statusCode());",
            "        System.out.println(response.body());",
            "    }",
            "}",
        )
    )


def _go(call: _Call) -> str:
    text = _quoting(_utf32)
    body = json_text(call.body).replace("`", "\\u0060")  # nothing else ends a raw string
    failed = ("\tif err != nil {", "\t\tlog.Fatal(err)", "\t}")
    return "\n".join(
        (
            "package main",
            "",
            "import (",
            *(f'\t"{name}"' for name in ("fmt", "io", "log", "net/http", "strings")),
            ")",
            "",
            "func main() {",
            f"\tbody := strings.NewReader(`{body}`)",
            f'\trequest, err := http.NewRequest("POST", {text(call.url)}, body)',
            *failed,
            *(
                f"\trequest.Header.Set({text(name)}, {text(value)})"
                for name, value in call.headers.items()
            ),
            "\tresponse, err := http.DefaultClient.Do(request)",
            *failed,
            "\tdefer response.Body.Close()",
            "\tanswer, err := io.ReadAll(response.Body)",
            *failed,
            "\tfmt.Println(response.StatusCode)",
            "\tfmt.Println(string(answer))",
            "}",
        )
    )


def _php(call: _Call) -> str:
    text = _quoting(_in_braces, special={"$": "\\$"})
    return "\n".join(
        (
            "<?php",
            f"$curl = curl_init({text(call.url)});",
            "curl_setopt_array($curl, [",
            "    CURLOPT_RETURNTRANSFER => true,",
            "    CURLOPT_HTTPHEADER => [",
            *(f"        {text(f'{name}: {value}')}," for name, value in call.headers.items()),
            "    ],",
            "    CURLOPT_POSTFIELDS => json_encode([",
            *(
                f"        {text(name)} => {_literal(value, text)},"
                for name, value in call.body.items()
            ),
            "    ]),",
            "]);",
            "$answer = curl_exec($curl);",
            "if ($answer === false) {",
            '    exit(curl_error($curl) . "\\n");',
            "}",
            'echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\\n", $answer, "\\n";',
        )
    )


# --- literals --------------------------------------------------------------------------------


def _quoting(
    escape: Callable[[str], str], *, special: Mapping[str, str] = {}, is_ascii: bool = False
) -> Callable[[str], str]:
    """Makes a text literal in double quotes; ``escape`` writes a character that is not shown."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", **special}

    def shown(character: str) -> str:
        if character in named:
            return named[character]
        is_plain = character.isprintable() and (character.isascii() or not is_ascii)
        return character if is_plain else escape(character)

    return lambda text: f'"{"".join(map(shown, text))}"'


def _literal(
    value: Any, text: Callable[[str], str], *, yes: str = "true", no: str = "false"
) -> str:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, list):
        return f"[{', '.join(_literal(part, text, yes=yes, no=no) for part in value)}]"
    return json.dumps(value)


def _field(name: str, text: Callable[[str], str]) -> str:
    return name if IDENTIFIER.fullmatch(name) else text(name)


def _own_headers(call: _Call) -> list[tuple[str, str]]:
    """``requests`` says itself that it sends JSON."""
    return [(name, value) for name, value in call.headers.items() if name != "content-type"]


def _in_braces(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _utf32(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
