import { createSocket } from "node:dgram";
import dns, { getServers, setServers } from "node:dns";
import { once } from "node:events";

/** The records of one name. */
export interface Records {
  readonly srv?: readonly { readonly target: string; readonly port: number }[];
  readonly txt?: readonly string[];
}

export interface DnsDouble {
  close(): Promise<void>;
}

const types = { txt: 16, srv: 33 } as const;
const nameError = 3;

/**
 * Answers the process's own DNS queries for SRV and TXT records. Other names do not exist. Names of hosts are looked up by the system and
 * not here.
 */
export async function startDnsDouble(names: Readonly<Record<string, Records>>): Promise<DnsDouble> {
  const socket = createSocket("udp4", (query, from) => {
    socket.send(answer(query, names), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const before = getServers();
  setServers([`127.0.0.1:${String(socket.address().port)}`]);
  return {
    async close() {
      setServers(before);
      socket.close();
      await once(socket, "close");
    },
  };
}

const systemLookup = dns.lookup as (name: string, ...rest: unknown[]) => void;

/** Lets every name below the domain mean 127.0.0.1. Call it through `vi.spyOn`, so that the runner restores it. */
export function lookUpLocally(domain: string): typeof dns.lookup {
  const look = (name: string, ...rest: unknown[]) => {
    systemLookup(name.endsWith(domain) ? "127.0.0.1" : name, ...rest);
  };
  return look as typeof dns.lookup;
}

function answer(query: Buffer, names: Readonly<Record<string, Records>>): Buffer {
  const { name, end } = readName(query, 12);
  const type = query.readUInt16BE(end);
  const question = query.subarray(12, end + 4);
  const records = names[name];
  const found = type === types.srv ? srvData(records) : type === types.txt ? txtData(records) : [];
  const header = Buffer.from(query.subarray(0, 12));
  // A response, recursion available.
  header.writeUInt16BE(0x8180 | (records === undefined ? nameError : 0), 2);
  header.writeUInt16BE(found.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question, ...found.map((data) => record(type, data))]);
}

/** Every answer is about the name of the question, which is at byte 12. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function srvData({ srv = [] }: Records = {}): Buffer[] {
  return srv.map(({ target, port }) => {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(port, 4);
    const labels = target.split(".").map(label);
    return Buffer.concat([head, ...labels, Buffer.from([0])]);
  });
}

const txtData = ({ txt = [] }: Records = {}): Buffer[] => txt.map(label);

const label = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}
