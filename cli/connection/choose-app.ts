import { usageFailure } from "../exit-codes.ts";
import type { Connection, ConnectionOptions, Environment } from "./connection.ts";
import { findLocalApp, type LocalApp } from "./local-app.ts";

/** The variable that is read when `--key-env` does not name another one. */
const usualKey = "KEYTURN_KEY";

const noApp = (folder: string): string =>
  `No app is chosen. Start the local app with npm start, or name an app with --app URL or KEYTURN_APP. (${folder} and the folders above have no .keyturn/environment.json.)`;

/**
 * Chooses the app and the sign-in. A key in the environment is sent only to an app that `--app` or KEYTURN_APP names, unless
 * `--key-env` names it: the local app has its own key. Throws Failure.
 */
export function chooseApp(
  options: ConnectionOptions,
  environment: Environment,
  folder: string,
): Connection {
  requireVerifiedTls(environment);
  const named = options.app ?? readVariable(environment, "KEYTURN_APP");
  if (named !== undefined) {
    const source = options.app === undefined ? "KEYTURN_APP" : "--app";
    return connectTo(readAddress(named, source), options, environment);
  }
  const local = findLocalApp(folder);
  if (!local) throw usageFailure(noApp(folder));
  const address = readAddress(local.url, local.file);
  const hasSignIn = options.keyEnv !== undefined || options.entra !== undefined;
  return hasSignIn ? connectTo(address, options, environment) : connectToLocal(address, local);
}

function connectToLocal(address: URL, { key, file }: LocalApp): Connection {
  return {
    ...placeOf(address),
    signIn: () => Promise.resolve({ "x-functions-key": key }),
    credential: `the key in ${file}`,
    advice: "Stop npm start and start it again: it writes the file anew.",
  };
}

function connectTo(address: URL, options: ConnectionOptions, environment: Environment): Connection {
  const place = placeOf(address);
  const key = readKey(options, environment);
  if (options.entra !== undefined) {
    return { ...place, ...withEntra(options.entra, place.base, key) };
  }
  return {
    ...place,
    signIn() {
      if (key.value === undefined) return Promise.reject(usageFailure(noKey(key.name)));
      return Promise.resolve({ "x-functions-key": key.value });
    },
    credential: `the function key in ${key.name}`,
    advice: `Put a key of this app into ${key.name}: az functionapp keys list --resource-group GROUP --name APP`,
  };
}

/** An address that ends with `/api`, as the reference of the API shows it, works too. */
function placeOf({ origin, pathname, host }: URL): Pick<Connection, "base" | "host"> {
  return { base: origin + pathname.replace(/\/+$/, "").replace(/\/api$/, ""), host };
}

/** Does not repeat the name that `--key-env` gives: it may be the key itself. */
const noKey = (variable: string): string =>
  `The environment variable ${variable} is not set or is empty. Set it to a function key of the app, or sign in with --entra.`;

interface Key {
  readonly name: string;
  readonly value: string | undefined;
}

function readKey({ keyEnv, entra }: ConnectionOptions, environment: Environment): Key {
  const name = keyEnv ?? usualKey;
  const value = readVariable(environment, name);
  if (value === undefined) {
    if (keyEnv !== undefined) throw usageFailure(noKey("that --key-env names"));
    return { name, value };
  }
  // Anything else cannot be a header; the message must not repeat the value.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    const instead = entra === undefined ? "a function key" : "a function key, or unset it";
    throw usageFailure(`${name} contains characters that no key has. Set it to ${instead}.`);
  }
  return { name, value };
}

/** A function key is sent as well if there is one: the routes of the app need it behind platform authentication too. */
function withEntra(scope: string | true, base: string, key: Key) {
  const wanted = scope === true ? `${base}/.default` : scope;
  return {
    async signIn() {
      const { requestToken } = await import("./entra.ts");
      const keyHeader = key.value !== undefined && { "x-functions-key": key.value };
      return { authorization: `Bearer ${await requestToken(wanted)}`, ...keyHeader };
    },
    credential:
      key.value === undefined
        ? `the token for ${wanted}`
        : `the token for ${wanted} or the function key in ${key.name}`,
    advice: `Check that the scope belongs to this app, and that you are assigned to it. The routes of the app also need a function key in ${key.name}.`,
  };
}

/** The address must be https or loopback, because a key or a token is sent to it. Messages do not repeat it. */
function readAddress(text: string, source: string): URL {
  const address = URL.parse(text);
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw usageFailure(
      `${source} must be the address of an app, such as https://my-app.azurewebsites.net.`,
    );
  }
  if (address.username !== "" || address.password !== "") {
    throw usageFailure(`${source} must not contain a user name or a password.`);
  }
  if (address.search !== "" || address.hash !== "") {
    throw usageFailure(
      `${source} must not have a part after ? or #. A key belongs into KEYTURN_KEY.`,
    );
  }
  if (address.protocol === "http:" && !isLoopback(address.hostname)) {
    throw usageFailure(`${source} must begin with https://. Only loopback addresses may use http.`);
  }
  return address;
}

/** The value of an environment variable, without blanks around it. An empty one counts as not set. */
function readVariable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === "" ? undefined : value;
}

const isLoopback = (name: string): boolean =>
  name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);

function requireVerifiedTls(environment: Environment): void {
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw usageFailure(
    "NODE_TLS_REJECT_UNAUTHORIZED=0 turns off the check of certificates. Unset it. For a private CA, set NODE_EXTRA_CA_CERTS to the CA's file.",
  );
}
