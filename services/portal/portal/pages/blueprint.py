"""The blueprint that all pages belong to."""

from flask import Blueprint

pages = Blueprint("pages", __name__, url_prefix="/portal")
