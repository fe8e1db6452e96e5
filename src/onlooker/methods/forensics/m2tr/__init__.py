"""M2TR: face forgeries found by patches of several sizes and a learnable filter of their spectrum."""
