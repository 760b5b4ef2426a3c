// The page "attention".
export const attention = {} as const;
