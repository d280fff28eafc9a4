"""The rules about how, when and how often members write."""
