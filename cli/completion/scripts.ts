/**
 * The scripts contain no list of their own: they pass the words to the hidden command `complete-words`, so they stay correct after an
 * update. Nothing that was typed is evaluated. The program is called as it was typed, so it may be a shell function.
 */
export const shells = ["bash", "zsh", "fish"] as const;

export const scripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: String.raw`# Completion of keyturn for bash. In ~/.bashrc: source <(keyturn completion bash)
_keyturn() {
  local value rest
  COMPREPLY=()
  while IFS=$'\t' read -r value rest; do
    if [[ $value == ":files" ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done \
        < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
      return
    fi
    COMPREPLY+=("$value")
  done < <("\${COMP_WORDS[0]}" complete-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _keyturn keyturn
`.replaceAll("\\${", "${"),

  zsh: String.raw`#compdef keyturn
# Completion of keyturn for zsh. In ~/.zshrc, after compinit: source <(keyturn completion zsh)
_keyturn() {
  local -a found
  local line value
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      _files
      return
    fi
    value="\${line%%$'\t'*}"
    if [[ $line == *$'\t'* ]]; then
      found+=("\${value//:/\\:}:\${line#*$'\t'}")
    else
      found+=("\${value//:/\\:}")
    fi
  done < <("\${words[1]}" complete-words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'keyturn' found
}
if [[ "\${funcstack[1]}" == "_keyturn" ]]; then
  _keyturn "$@"
else
  compdef _keyturn keyturn
fi
`.replaceAll("\\${", "${"),

  fish: String.raw`# Completion of keyturn for fish. In ~/.config/fish/completions/keyturn.fish
function __keyturn_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in ($before[1] complete-words -- $before[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c keyturn -f -a '(__keyturn_complete)'
`,
};
