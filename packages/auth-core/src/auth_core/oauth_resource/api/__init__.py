"""The resource side in Django REST framework."""
