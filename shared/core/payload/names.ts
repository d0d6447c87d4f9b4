/** Names that secrets and connection strings commonly use, whatever their case and separators. */
const prefix =
  "(db|database|pg|postgres|postgresql|mysql|mongo|mongodb|redis|valkey|sql|(spring)?datasource)?";
const accountName = new RegExp(`^${prefix}(username|user)$`);
const passwordName = new RegExp(`^${prefix}(password|passwd|pass|pwd)$`);

export function toPlainName(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, "");
}

/** Whether a JSON key such as `userName` or `DB_USER` names an account. */
export function isAccountName(name: string): boolean {
  return accountName.test(toPlainName(name));
}

/** Whether a JSON key such as `pwd` or `PGPASSWORD` names a password. */
export function isPasswordName(name: string): boolean {
  return passwordName.test(toPlainName(name));
}
