import { Session } from "node:inspector/promises";

/** Busy microseconds of a process, by area. */
export type Profile = Readonly<Record<string, number>>;

/** Areas by the URL of the script. The first match applies. */
const areas: readonly (readonly [area: string, url: RegExp])[] = [
  ["driver of PostgreSQL", /node_modules\/(pg|pg-[\w-]+|postgres-[\w-]+|pgpass|split2|xtend)\//],
  ["Azure SDK", /node_modules\/(@azure|@typespec|fast-xml-parser|strnum|tslib)\//],
  ["Keyturn", /\/(shared|functions)\//],
  ["the bench itself", /\/scripts\//],
  ["Node: TLS, crypto and sockets", /^node:.*(tls|crypto|net|stream|socket|stream_base)/],
  ["Node: HTTP", /^node:.*(http|undici|url)/],
  ["Node: the rest", /^node:/],
  ["other packages", /node_modules\//],
];

/** Areas of frames without a script. */
const byName: Readonly<Record<string, string>> = {
  "(garbage collector)": "garbage collection",
  "(program)": "native code: TLS, SCRAM and system calls",
};

/** Samples this process until the function that it returns is called. */
export async function startProfile(): Promise<() => Promise<Profile>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    const { nodes, samples = [], timeDeltas = [] } = profile;
    const areaOf = new Map(nodes.map(({ id, callFrame }) => [id, findArea(callFrame)]));
    const spent = new Map<string, number>();
    samples.forEach((node, index) => {
      const area = areaOf.get(node);
      if (area !== undefined) spent.set(area, (spent.get(area) ?? 0) + (timeDeltas[index] ?? 0));
    });
    return Object.fromEntries(spent);
  };
}

/** Returns undefined for an idle frame. */
function findArea(frame: { readonly functionName: string; readonly url: string }) {
  const { functionName, url } = frame;
  if (functionName === "(idle)" || functionName === "(root)") return undefined;
  if (url === "") return byName[functionName] ?? "native code: TLS, SCRAM and system calls";
  return areas.find(([, pattern]) => pattern.test(url))?.[0] ?? "other packages";
}
