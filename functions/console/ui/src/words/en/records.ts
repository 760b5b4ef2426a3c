// The page "records".
export const records = {} as const;
