"""SM2, SM3, SM4-GCM, AES-GCM and blind indexes."""
