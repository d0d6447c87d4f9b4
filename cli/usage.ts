/** Turns the message of the command-line library into sentences, and names the help of the command. */
export function explainUsage(message: string, command: string | undefined): string {
  const [, text = "", hint] =
    /^(?:error: )?(.*?)(?:\n\(Did you mean (.*?)\?\))?$/s.exec(message) ?? [];
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const ended = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  const near = hint === undefined ? "" : ` Did you mean ${hint}?`;
  const help =
    command === undefined
      ? "`keyturn --help` lists the commands."
      : `\`keyturn ${command} --help\` lists its options.`;
  return `${ended}${near} ${help}`;
}
