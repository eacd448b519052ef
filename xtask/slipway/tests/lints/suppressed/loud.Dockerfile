# lint: ignore=latest-base-image
FROM debian

# lint: ignore=untagged-base-image

FROM debian
