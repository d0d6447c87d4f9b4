"""Clients of Python, and libpq, which they use. Reads requests from standard input, and answers each with one line of JSON."""

import ctypes
import json
import sys


class Option(ctypes.Structure):
    _fields_ = [
        ("keyword", ctypes.c_char_p),
        ("envvar", ctypes.c_char_p),
        ("compiled", ctypes.c_char_p),
        ("val", ctypes.c_char_p),
        ("label", ctypes.c_char_p),
        ("dispchar", ctypes.c_char_p),
        ("dispsize", ctypes.c_int),
    ]


def libpq():
    library = ctypes.CDLL(sys.argv[1])
    library.PQconninfoParse.restype = ctypes.POINTER(Option)
    library.PQconnectdb.restype = ctypes.c_void_p
    library.PQstatus.argtypes = [ctypes.c_void_p]
    library.PQuser.argtypes = [ctypes.c_void_p]
    library.PQuser.restype = ctypes.c_char_p
    library.PQerrorMessage.argtypes = [ctypes.c_void_p]
    library.PQerrorMessage.restype = ctypes.c_char_p
    library.PQfinish.argtypes = [ctypes.c_void_p]
    return library


def read_libpq(text):
    message = ctypes.c_char_p()
    options = libpq().PQconninfoParse(text.encode(), ctypes.byref(message))
    if not options:
        return {"error": message.value.decode()}
    values = {}
    for option in options:
        if option.keyword is None:
            break
        if option.val is not None:
            values[option.keyword.decode()] = option.val.decode()
    return to_answer(values["user"], values["password"], values["host"], values["port"], values["dbname"])


def log_in_libpq(text):
    library = libpq()
    connection = library.PQconnectdb(text.encode())
    try:
        if library.PQstatus(connection) != 0:
            return {"error": library.PQerrorMessage(connection).decode()}
        return {"username": library.PQuser(connection).decode()}
    finally:
        library.PQfinish(connection)


def read_sqlalchemy(text):
    from sqlalchemy.engine import make_url

    url = make_url(text)
    return to_answer(url.username, url.password, url.host, url.port, url.database)


def log_in_sqlalchemy(text):
    from sqlalchemy import create_engine, text as sql

    engine = create_engine(text)
    try:
        with engine.connect() as connection:
            row = connection.execute(sql("SELECT current_user()")).one()
            return {"username": row[0].split("@")[0]}
    finally:
        engine.dispose()


def read_redis(text):
    from redis.connection import parse_url

    found = parse_url(text)
    return to_answer(found["username"], found["password"], found["host"], found["port"], "")


def to_answer(username, password, host, port, database):
    return {
        "username": username,
        "password": password,
        "host": host,
        "port": int(port),
        "database": database,
    }


clients = {
    "read libpq": read_libpq,
    "log in libpq": log_in_libpq,
    "read sqlalchemy": read_sqlalchemy,
    "log in sqlalchemy": log_in_sqlalchemy,
    "read redis": read_redis,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = clients[request["client"]](request["text"])
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
