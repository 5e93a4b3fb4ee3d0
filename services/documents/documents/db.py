"""The mappings' common base."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from chassis.db import NAMING


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
