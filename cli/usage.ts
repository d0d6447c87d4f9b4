/** Turns the message of the command-line library into sentences without what may be a secret, and names the help of the command. */
export function explainUsage(message: string, command: string | undefined): string {
  const [, text = "", hint] =
    /^(?:error: )?(.*?)(?:\n\(Did you mean (.*?)\?\))?$/s.exec(message) ?? [];
  const safe = withoutSecrets(text);
  const sentence = safe.charAt(0).toUpperCase() + safe.slice(1);
  const ended = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  const near = hint === undefined ? "" : ` Did you mean ${hint}?`;
  const help =
    command === undefined
      ? "`keyturn --help` lists the commands."
      : `\`keyturn ${command} --help\` lists its options.`;
  return `${ended}${near} ${help}`;
}

/** Somebody may have typed a password as an argument or as the value of an option; the message must not repeat it in a log. */
function withoutSecrets(text: string): string {
  return text
    .replace(/^(too many arguments .* but got \d+): .*$/s, "$1")
    .replace(/^(unknown option '(?:--[a-z-]*|-[a-z]?)).*$/is, "$1'");
}
