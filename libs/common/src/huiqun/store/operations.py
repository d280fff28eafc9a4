"""The operations of a bulk write."""

from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne

__all__ = ["DeleteMany", "DeleteOne", "InsertOne", "ReplaceOne", "UpdateOne"]
