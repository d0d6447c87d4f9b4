/** Makes a configuration like that of a fleet: pairs on a few servers, tags, and policies with their own windows. */
export function configuration(targets: number): string {
  const names = Array.from({ length: targets }, (_, index) => index);
  return `version: 1
vaults:
  main: { url: https://kv-orders.vault.azure.net }
policies:
  default: { every: 90d, afterExposure: 4h }
${Array.from({ length: 20 }, (_, index) => policy(index)).join("")}targets:
${names.map(target).join("")}`;
}

function policy(index: number): string {
  return `  team-${index}:
    match: { tags: { team: "t${index}" } }
    every: ${30 + index}d
    headStart: 7d
    days: [sat, sun]
    between: ["22:00-04:00"]
    timeZone: Europe/Vienna
    afterExposure: 4h
`;
}

function target(index: number): string {
  const server = index % 200;
  return `  db-${index}:
    type: postgresql
    options:
      host: server-${server}.postgres.database.azure.com
      database: db${index}
    accounts: [app${index}_a, app${index}_b]
    admin: { secret: admin-${server} }
    publish: db-${index}
    grace: 24h
    tags:
      env: prod
      owner: team-${index % 50}
      team: t${index % 21}
`;
}
