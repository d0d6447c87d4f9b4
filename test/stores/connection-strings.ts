/** The value of one part of a connection string, such as `TableEndpoint`. */
export function getPart(connectionString: string, name: string): string {
  const part = connectionString.split(";").find((each) => each.startsWith(`${name}=`));
  if (part === undefined) throw new Error(`The connection string has no ${name}.`);
  return part.slice(name.length + 1);
}

/** The same account, reached at another origin. */
export function movedTo(connectionString: string, endpoint: string, origin: string): string {
  const url = getPart(connectionString, endpoint);
  return connectionString.replace(url, `${origin}${new URL(url).pathname}`);
}
