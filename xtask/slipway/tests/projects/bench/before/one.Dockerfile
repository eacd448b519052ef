FROM scratch AS base
COPY root /

FROM base AS build
WORKDIR /src
COPY . .
RUN sleep 0.5; cat settings library/greeting.sh services/one.sh > /one.sh

FROM base
COPY --from=build /one.sh /one.sh
ENTRYPOINT ["/bin/sh", "/one.sh"]
