// What both the bundler and svelte-check read: components are written with runes, every warning counts.
export default {
  compilerOptions: { runes: ({ filename }) => (filename.includes("node_modules") ? undefined : true) },
};
