ARG BASE=alpine
FROM debian AS one
FROM registry.example.com:5000/team/image AS two
FROM ubuntu:latest AS three
FROM ${BASE} AS four
FROM one
