"""Lists grouped: how many, how much work, how much of it late, per owner, client, stage and so on."""
