"""Anshang 安商: the operations system of a safe business district."""

__version__ = "0.1.0"
