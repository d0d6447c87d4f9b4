import nodeModule from "node:module";

const names: Readonly<Record<string, string>> = {
  "keyturn/rotator": "./author.ts",
};

let isUsed = false;

/**
 * Makes `keyturn/rotator` mean this Keyturn for every file that this process imports from now on, wherever it is. Another copy would have
 * other classes of errors, which the engine does not know. In a package, the bundler does the same.
 */
export function useOwnExport(): void {
  if (isUsed) return;
  isUsed = true;
  nodeModule.registerHooks({
    resolve(specifier, context, nextResolve) {
      const own = names[specifier];
      if (own === undefined) return nextResolve(specifier, context);
      return { url: new URL(own, import.meta.url).href, shortCircuit: true };
    },
  });
}
