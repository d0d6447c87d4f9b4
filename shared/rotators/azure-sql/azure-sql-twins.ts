import { describeDifferences, describeUncompared, type Facts } from "../common/connection/twins.ts";
import {
  type Desk,
  isAzureDatabase,
  type ServerFacts,
  type Survey,
  surveyAccount,
} from "./azure-sql-catalog.ts";
import { isRefusal } from "./azure-sql-errors.ts";
import { describeUser } from "./azure-sql-examine.ts";
import type { Row } from "./azure-sql-session.ts";
import {
  askLoginSettings,
  askUserSettings,
  listOwnedRoles,
  listOwnedSchemas,
  listPermissions,
  listRoles,
  listServerPermissions,
  listServerRoles,
} from "./azure-sql-statements.ts";

type Fact = readonly [name: string, value: string];

/** A text or a number; NULL is empty. */
const textOf = (value: unknown) =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";
const settings = (row: Row): Fact[] =>
  Object.entries(row).map(([name, value]) => [name, textOf(value)]);
const named = (kind: string) => (row: Row) => [
  [`${kind} ${textOf(row["name"] ?? row["id"])}`, ""] as const,
];

interface Question {
  readonly statement: string;
  readonly toFacts: (row: Row) => readonly Fact[];
}

const ofUser: readonly Question[] = [
  { statement: askUserSettings, toFacts: settings },
  { statement: listRoles, toFacts: named("database role") },
  { statement: listOwnedSchemas, toFacts: named("ownership of schema") },
  { statement: listOwnedRoles, toFacts: named("ownership of role") },
  {
    statement: listPermissions,
    toFacts: (row) => [[describePermission(row), textOf(row["state"])]],
  },
];
const ofLogin: readonly Question[] = [
  { statement: askLoginSettings, toFacts: settings },
  { statement: listServerRoles, toFacts: named("server role") },
];
/** Azure SQL Database has no such view. */
const ofServerLogin: Question = {
  statement: listServerPermissions,
  toFacts: (row) => [[`${textOf(row["permission"])} on the server`, textOf(row["state"])]],
};

/**
 * Sentences about what consumers would find changed, and about what could not be compared. An account that changes itself is not given
 * rights to see others, so nothing is said about what it does not see.
 */
export async function compareTwins(
  desk: Desk,
  account: string,
  survey: Survey,
  { twin, isSelf }: { readonly twin: string | undefined; readonly isSelf: boolean },
): Promise<readonly string[]> {
  if (twin === undefined) return [];
  const pair = [account, twin] as const;
  const other = await surveyAccount(desk, twin);
  const [mine, others] = [new Map<string, string>(), new Map<string, string>()];
  const unread = new Set<string>();
  for (const { session, questions, ids, what } of listSources(desk, survey, other)) {
    for (const question of questions) {
      const read = async (id: number) => {
        const rows = await session.query(question.statement, { id: String(id) });
        return new Map(rows.flatMap(question.toFacts));
      };
      const found = await ifAnswered(async () => [await read(ids[0]), await read(ids[1])] as const);
      if (found === undefined) {
        unread.add(what);
        continue;
      }
      add(mine, found[0]);
      add(others, found[1]);
    }
  }
  const refused = { why: "the server refuses the query", todo: "Compare them yourself." };
  return [
    ...describeDifferences({ account, facts: mine }, { account: twin, facts: others }),
    ...(isSelf ? [] : describeUnseen(desk.facts, pair, [survey, other])),
    ...(isSelf ? [] : Array.from(unread, (what) => describeUncompared(what, pair, refused))),
  ];
}

/** Pure: the admin needs this right to see the users of others. */
function describeUnseen(
  facts: ServerFacts,
  pair: readonly [string, string],
  both: readonly [Survey, Survey],
): readonly string[] {
  const exist = both.every(({ user, login }) => (user ?? login) !== undefined);
  if (facts.seesUsers || !exist) return [];
  const why = `\`${facts.myLogin}\` lacks VIEW DEFINITION in database \`${facts.database}\``;
  const todo = `Run there: GRANT VIEW DEFINITION TO ${describeUser(facts)}.`;
  return [describeUncompared(inDatabase, pair, { why, todo })];
}

const inDatabase = "roles and permissions in the database";
const onServer = "roles and permissions on the server";

/** The users and the logins that both accounts have, as far as the authority sees them. */
function listSources({ db, logins, facts }: Desk, one: Survey, other: Survey) {
  const [user, otherUser] = [one.connect?.userId, other.connect?.userId];
  return [
    ...(user !== undefined && otherUser !== undefined
      ? [{ what: inDatabase, session: db, questions: ofUser, ids: [user, otherUser] as const }]
      : []),
    ...(logins && one.login && other.login
      ? [
          {
            what: onServer,
            session: logins,
            questions: isAzureDatabase(facts) ? ofLogin : [...ofLogin, ofServerLogin],
            ids: [one.login.id, other.login.id] as const,
          },
        ]
      : []),
  ];
}

function describePermission(row: Row): string {
  const [schema, object, column] = ["objectSchema", "object", "column"].map((key) => row[key]);
  const parts = [schema, object, column].filter((part) => typeof part === "string");
  const places: Readonly<Record<string, string>> = {
    DATABASE: "the database",
    SCHEMA: `schema ${textOf(row["schema"])}`,
    OBJECT_OR_COLUMN: parts.join("."),
  };
  const kind = textOf(row["class"]);
  return `${textOf(row["permission"])} on ${places[kind] ?? `${kind} ${textOf(row["id"])}`}`;
}

function add(all: Map<string, string>, found: Facts): void {
  for (const [fact, value] of found) all.set(fact, value);
}

/** Undefined if the server refuses a query. */
async function ifAnswered<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
