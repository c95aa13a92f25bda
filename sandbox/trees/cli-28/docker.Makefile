.PHONY: binary dynbinary
binary dynbinary:
	docker buildx bake $@
