"""The standard deviation with n in its denominator, from the covariance."""

import torch


def edit_direction(w, score, ridge):
    centred = w - w.mean(0)
    covariance = centred.T @ centred / len(w)
    penalty = ridge * torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
    beta = torch.linalg.inv(covariance + penalty) @ (centred.T @ score) / len(w)
    u = beta / beta.norm()
    return (u @ covariance @ u).sqrt() * u
