import { Argument } from "@commander-js/extra-typings";
import { offline, withExamples } from "../command.ts";
import { scripts, shells } from "../completion/scripts.ts";

export const makeCompletion = () =>
  withExamples(
    offline("completion", "print a script that completes commands, options and target ids")
      .addArgument(new Argument("<shell>", "the shell").choices(shells))
      .action((shell) => {
        process.stdout.write(scripts[shell]);
      }),
    ["source <(keyturn completion bash)", "bash: put this line into ~/.bashrc"],
    ["source <(keyturn completion zsh)", "zsh: put this line into ~/.zshrc, after compinit"],
    ["keyturn completion fish > ~/.config/fish/completions/keyturn.fish", "fish"],
  );
